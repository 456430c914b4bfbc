"""What a reader is told for each reason of contests: code to (Vietnamese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "too-many-prizes": (
        "Số giải dự kiến là {got}, vượt mức tối đa {most}.",
        "{got} prizes are proposed; at most {most} are allowed.",
    ),
    "prizes-within-caps": (
        "Số giải là {got}, trong mức tối đa {most}.",
        "{got} prizes, within the {most} allowed.",
    ),
}
