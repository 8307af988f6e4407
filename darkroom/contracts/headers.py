"""Header names, spelled once for both sides."""

REQUEST_ID = "X-Request-ID"
REPORT = "X-Darkroom-Report"  # gateway → client: `Report` as compact JSON
CACHE = "X-Darkroom-Cache"  # gateway → client: hit, miss, shared (with an equal request) or off
PRIORITY = "X-Darkroom-Priority"  # client → gateway: `job` lets every other photo pass
BUDGET = "X-Darkroom-Budget-Ms"  # gateway → model server: milliseconds left, a whole number
STEP = "X-Darkroom-Step"  # gateway → model server: `StepRequest` as compact JSON
ADJUST = "X-Darkroom-Adjust"  # gateway → `tone`: `Adjustments` as compact JSON, instead of a step
COLORIZE = "X-Darkroom-Colorize"  # gateway → `colorize`: `ColorizeRequest` as compact JSON
SHARED = "X-Darkroom-Shared"  # gateway ↔ model server: `Shared` as compact JSON
MODEL = "X-Darkroom-Model"  # model server → gateway: `ModelReply` as compact JSON
