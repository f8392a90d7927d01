"""An earlier build of the app, measured in turns with this one."""
