// Loaded into Azurite's process before Azurite itself: every answer waits so long before it leaves,
// as it would on the way from a cloud, the first one on a connection longer; requests are counted.
//   GET /_lag?ms=5&greeting=20 sets the milliseconds, GET /_lag tells the counts by method.
"use strict";

const { Server } = require("http");

const emit = Server.prototype.emit;
const counts = {};
const greeted = new WeakSet();
let lag = 0;
let greeting = 0;

Server.prototype.emit = function (event, request, response) {
  if (event !== "request") return emit.apply(this, arguments);
  const url = new URL(request.url, "http://host");
  if (url.pathname === "/_lag") {
    lag = Number(url.searchParams.get("ms") ?? lag);
    greeting = Number(url.searchParams.get("greeting") ?? greeting);
    response.end(JSON.stringify(counts));
    return true;
  }
  counts[request.method] = (counts[request.method] || 0) + 1;
  const late = lag + (greeted.has(request.socket) ? 0 : greeting);
  greeted.add(request.socket);
  if (late > 0) {
    const end = response.end;
    response.end = (...given) => {
      setTimeout(() => end.apply(response, given), late);
      return response;
    };
  }
  return emit.apply(this, arguments);
};
