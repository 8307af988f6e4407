-- A session is kept as the SHA-256 of what the client sends: the rows let nobody in.
-- `version` counts the changes of all its jobs: each change takes the next number while it holds
-- this row, so numbers become visible in their order and a stream of events misses none.
CREATE TABLE sessions (
    session bytea PRIMARY KEY,
    version bigint NOT NULL DEFAULT 0
);

-- The bytes lie in object storage under the photo's id. Several jobs may share one photo.
CREATE TABLE photos (
    id uuid PRIMARY KEY,
    session bytea NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    size_bytes bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE orders (
    id uuid PRIMARY KEY,
    session bytea NOT NULL REFERENCES sessions,
    idempotency_key text,
    fingerprint bytea NOT NULL, -- of the request: a key stands for one request only
    webhook text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (session, idempotency_key)
);

CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    order_id uuid NOT NULL REFERENCES orders,
    photo_id uuid NOT NULL REFERENCES photos,
    session bytea NOT NULL REFERENCES sessions,
    version bigint NOT NULL,
    operation text NOT NULL,
    options jsonb NOT NULL,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    result_key text, -- in object storage; NULL where the result is the original
    result_media_type text,
    changed boolean,
    report jsonb,
    error_code text,
    error_detail text
);

CREATE INDEX ON jobs (session, seq);
CREATE INDEX ON jobs (session, version);
CREATE INDEX ON jobs (order_id);
CREATE INDEX ON jobs (photo_id);
CREATE INDEX ON jobs (created_at);
CREATE INDEX ON jobs (session) WHERE status IN ('pending', 'processing');
CREATE INDEX ON orders (created_at);
