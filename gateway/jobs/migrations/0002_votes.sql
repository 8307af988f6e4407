-- A vote belongs to the session that made it, kept as SHA-256 as everywhere.
-- `salt` keeps the order of pairs and their sides from being guessed.
CREATE TABLE votes (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    owner bytea NOT NULL,
    salt bytea NOT NULL,
    variants text[] NOT NULL,
    photos text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A photo in a variant. The bytes lie in object storage under votes/<vote>/<sha256>; until they
-- have arrived there is no digest.
CREATE TABLE versions (
    id uuid PRIMARY KEY,
    vote_id uuid NOT NULL REFERENCES votes ON DELETE CASCADE,
    photo text NOT NULL,
    variant text NOT NULL,
    sha256 bytea,
    media_type text,
    UNIQUE (vote_id, photo, variant)
);

CREATE TABLE pairs (
    id uuid PRIMARY KEY,
    vote_id uuid NOT NULL REFERENCES votes ON DELETE CASCADE,
    first_id uuid NOT NULL REFERENCES versions ON DELETE CASCADE,
    second_id uuid NOT NULL REFERENCES versions ON DELETE CASCADE,
    UNIQUE (first_id, second_id)
);

-- One for each pair and voter. Nothing is reserved for a voter beforehand, so one that goes away
-- holds nothing up.
CREATE TABLE ballots (
    pair_id uuid NOT NULL REFERENCES pairs ON DELETE CASCADE,
    voter bytea NOT NULL,
    left_id uuid NOT NULL REFERENCES versions ON DELETE CASCADE, -- what was shown on the left
    choice text NOT NULL CHECK (choice IN ('left', 'right', 'no_difference')),
    cast_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pair_id, voter)
);

CREATE INDEX ON pairs (vote_id);
CREATE INDEX ON ballots (voter);
CREATE INDEX ON pairs (second_id);
CREATE INDEX ON ballots (left_id);
