"""Header names, spelled once for both sides."""

REQUEST_ID = "X-Request-ID"
REPORT = "X-Darkroom-Report"  # gateway → client: `Report` as compact JSON
BUDGET = "X-Darkroom-Budget-Ms"  # gateway → model server: milliseconds left, a whole number
STEP = "X-Darkroom-Step"  # gateway → model server: `StepRequest` as compact JSON
ADJUST = "X-Darkroom-Adjust"  # gateway → `tone`: `Adjustments` as compact JSON, instead of a step
MODEL = "X-Darkroom-Model"  # model server → gateway: `ModelReply` as compact JSON
