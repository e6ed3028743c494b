# SPDX-License-Identifier: ISC
"""The document: tables as they come, claims with their verdicts, data.

What is measured is printed at once.  After each table the whole, with a table
of contents and a summary of all claims in front, is written to a file if
there is a directory to save in, and beside it the figures for the plots:
tab-separated, a remark in the first line, the columns' names in the second.
"""

import dataclasses
import math
import os

DOCUMENT = "measured.md"
TOP = "grouper, measured"


@dataclasses.dataclass
class Verdict:
    """Of one measurement: excess is 1 where the bound is just kept."""

    where: str
    measured: str
    excess: float
    sure: bool                  # its interval does not hold the bound

    def kept(self):
        return self.excess <= 1


@dataclasses.dataclass
class Claim:
    """What one row of the summary says of all its measurements."""

    text: str
    bound: str
    verdicts: list = dataclasses.field(default_factory=list)

    def row(self):
        worst = max(self.verdicts, key=lambda verdict: verdict.excess)
        count = len(self.verdicts)
        missed = [one for one in self.verdicts if not one.kept()]
        unsure = sum(not one.sure for one in self.verdicts)
        met = "yes"
        if missed:
            met = "**no**" if count == 1 else \
                f"**no**, not in {len(missed)} of {count}"
            if not any(one.sure for one in missed):
                met += ", within the noise"
        elif unsure:
            met = "yes, within the noise" if count == 1 else \
                f"yes, within the noise in {unsure} of {count}"
        return (self.text, self.bound, f"{worst.measured} ({worst.where})",
                met)


def share(value, bound):
    """How much of the bound a value takes, infinite if there is none."""
    if bound == 0:
        return 0.0 if value == 0 else math.inf
    return value / bound


class Report:
    """Prints the document as it grows and remembers what was invalid."""

    def __init__(self, directory=None):
        self.invalid = []
        self.directory = directory
        self.head = []
        self.sections = []      # (title, lines, claims by text and bound)
        self.figures = {}       # rows by name, the first those of columns
        self.remark = ""        # about the figures, for whoever plots them

    def begin(self, title):
        """A section: what follows is its text, until the next begins."""
        self.sections.append((title, [], {}))
        self.text("", f"## {title}", "")

    def text(self, *lines):
        (self.sections[-1][1] if self.sections else self.head).extend(lines)
        print(*lines, sep="\n", flush=True)

    def table(self, head, rows):
        """Rows of strings; all columns but the first are aligned right."""
        self.text("", *table_lines(head, rows), "")
        self.save()

    def fault(self, what):
        self.invalid.append(what)
        self.text("", f"**Invalid:** {what}")

    def claim(self, text, bound, verdict):
        claims = self.sections[-1][2]
        claim = claims.setdefault((text, bound), Claim(text, bound))
        claim.verdicts.append(verdict)

    def at_most(self, text, where, value, bound, unit="", interval=None):
        """Claims that value <= bound; interval is that of the value.

        What is a ratio has no unit, and two decimals.
        """
        shown = f"{value:.3g} {unit}" if unit else f"{value:.2f}"
        if interval is not None:
            shown += f", {interval[0]:.2f}-{interval[1]:.2f}"
        self.claim(text, f"<= {bound:.4g} {unit}".strip(), Verdict(
            where, shown, share(value, bound), interval is None
            or not interval[0] <= bound < interval[1]))

    def at_least(self, text, where, value, bound):
        """Claims of a ratio that it is >= bound."""
        self.claim(text, f">= {bound:g}", Verdict(
            where, f"{value:.2f}", share(bound, value), True))

    def data(self, name, columns, rows):
        """Adds rows to a file of figures for the plots."""
        rows = [*self.figures.get(name, [columns]), *rows]
        self.figures[name] = rows
        if self.directory is None:
            return
        path = os.path.join(self.directory, name + ".tsv")
        with open(path, "w", encoding="utf-8") as file:
            print(f"# {self.remark}", file=file)
            for row in rows:
                print(*row, sep="\t", file=file)

    def summary(self):
        """Lines of a table per section that claims something."""
        lines = []
        for title, _, claims in self.sections:
            if claims:
                lines += ["", f"### {title}", "", *table_lines(
                    ["claim", "bound", "measured, the worst", "met?"],
                    [claim.row() for claim in claims.values()])]
        if not lines:
            lines = ["", "Nothing was claimed."]
        if self.invalid:
            lines += ["", "### Invalid", "",
                      *(f"* {what}" for what in self.invalid)]
        return ["", "## Summary", "", "A ratio to others is followed by the "
                "95 % interval of resampled rounds where there were enough "
                "of them; a bound within it is \"within the noise\".", *lines]

    def save(self):
        """The document as far as it has come."""
        if self.directory is None:
            return
        contents = ["", "## Contents", "",
                    *(f"* [{title}](#{anchor(title)})" for title in
                      ["Summary", *(title for title, _, _
                                    in self.sections)])]
        body = [line for _, lines, _ in self.sections for line in lines]
        path = os.path.join(self.directory, DOCUMENT)
        with open(path + ".new", "w", encoding="utf-8") as file:
            print(*squeeze(self.head + contents + self.summary() + body),
                  sep="\n", file=file)
        os.rename(path + ".new", path)


def table_lines(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|---" + "|---:" * (len(head) - 1) + "|"
    for row in rows:
        yield "| " + " | ".join(str(cell) for cell in row) + " |"


def squeeze(lines):
    """Without blank lines that follow one."""
    before = ""
    for line in lines:
        if line or before:
            yield line
        before = line


def anchor(title):
    """The fragment that GitHub and others give to a title."""
    return "".join(letter for letter in title.lower().replace(" ", "-")
                   if letter.isalnum() or letter in "-_")
