"""Draw the limits of `rules/` into the dashboard's file: `python -m dashboards`."""

import sys

import dashboards
import rules


def main() -> int:
    """Redraw the limits in the dashboard's file, and say what changed."""
    try:
        board = dashboards.load()
        text = dashboards.text(dashboards.draw_limits(board.model, rules.alerts()))
        changed = text != dashboards.FILE.read_text("utf-8")
        if changed:
            dashboards.FILE.write_text(text, "utf-8")
        dashboards.KEPT.unlink(missing_ok=True)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    panels = f"{len(board.panels)} panel{'' if len(board.panels) == 1 else 's'}"
    print(f"{dashboards.FILE.name}: {'redrawn' if changed else 'as drawn already'}, {panels}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
