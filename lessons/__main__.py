"""``python -m lessons``: read every lesson and name what is wrong. Exit status 1 where something is."""

import sys

from lessons.library import lessons, mistakes


def main() -> int:
    found = mistakes()
    for line in found:
        print(line, file=sys.stderr)
    if not found:
        for lesson in lessons().values():
            slides, checks = len(lesson.sections), len(lesson.checks)
            print(
                f"{lesson.number:2}  {lesson.title}: {lesson.minutes} min, {slides} slides, {checks} checks"
            )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
