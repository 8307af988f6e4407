"""The words and wire shapes that clients, gateway and model servers share. Needs pydantic alone."""
