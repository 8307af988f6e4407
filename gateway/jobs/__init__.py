"""Jobs: photos taken now and worked on later, by any number of workers.

PostgreSQL holds the rows and is the queue (procrastinate); the bytes lie in object storage. The
gateway takes photos and tells how they fare (`routes`, `events`); a worker (`worker`) sends each
photo through the gateway's own routes and keeps what comes back. Nothing here is imported before
the first request that needs it but `routes`, so a gateway without a database carries none of it.
"""
