"""The cluster on one machine: every model server and the gateway as local processes."""
