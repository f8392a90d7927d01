// Loaded into Azurite's process before Azurite itself: every request waits so long before it is
// answered, as it would on the way to a cloud, and is counted by its method.
//   GET /_lag?ms=5 sets the milliseconds, GET /_lag tells the counts.
"use strict";

const { Server } = require("http");

const emit = Server.prototype.emit;
const counts = {};
let lag = 0;

Server.prototype.emit = function (event, request, response) {
  if (event !== "request") return emit.apply(this, arguments);
  if (request.url.startsWith("/_lag")) {
    const given = new URL(request.url, "http://host").searchParams.get("ms");
    if (given !== null) lag = Number(given);
    response.end(JSON.stringify(counts));
    return true;
  }
  counts[request.method] = (counts[request.method] || 0) + 1;
  if (lag === 0) return emit.apply(this, arguments);
  setTimeout(() => emit.apply(this, arguments), lag);
  return true;
};
