"""What sentences say of a way back: that a part of it, or all of it, is given up."""

from __future__ import annotations

import re
from itertools import pairwise

_KINDS = {
    "table": r"tables?",
    "column": r"columns?|fields?",
    "index": r"index(?:es)?|indices",
    "constraint": r"constraints?|unique\w*|foreign[ ]keys?|fks?|checks?",
    "primary key": r"primary[ ]keys?|pk",
    "type": r"types?|lengths?|precision|narrow\w*|wide\w*|short\w*|length\w*",
    "nullability": r"null\w*|not[ ]null|required|mandatory|optional",
    "server default": r"(?:server[ _])?defaults?",
    "object": r"views?|functions?|triggers?|procedures?|sequences?|enums?|comments?|definitions?",
}
"""The words for each kind of thing that can come back or not."""
_KIND = re.compile(
    "|".join(
        rf"(?P<{kind.replace(' ', '_')}>(?<![\w.])(?:{words})(?!\w|\.\w))"
        for kind, words in _KINDS.items()
    ),
    re.IGNORECASE,
)
_OWNERS = ("table", "column", "constraint")
_WHOSE = re.compile(r"(?:'s)?[ ]", re.IGNORECASE)
"""Between two such words: the first only says which the second is, as in "column type"."""
_PLACE = re.compile(
    r"""\b(in|into|inside|within|with|without|by|through|via|using|from|to|than|like|per|before
    |after|until|on|onto|at|behind|of)[ ]
    (?:(?:the|an?|this|that|these|those|its|their|our|any|all|each|every|old|new|same|other
    )[ ])*$""",
    re.IGNORECASE | re.VERBOSE,
)
"""Before such a word that is not what a clause is about, as in "not kept in the index"."""

BACK = re.compile(
    r"\b(?:downgrad\w*|roll(?:s|ed|ing)?[ -]?back|rollback\w*|reverting|undoing|going[ ]back)\b",
    re.IGNORECASE,
)
_DATABASE = re.compile(
    r"\b(?:(sqlite)|(mysql)|(mariadb)|(postgres\w*)|(oracle)|(sql[ ]server|mssql))\b", re.IGNORECASE
)
_DATABASES = ("sqlite", "mysql", "mariadb", "postgresql", "oracle", "mssql")
_CLAUSE = re.compile(
    r"""[;:()\u2013\u2014]|\s-\s|,\s+(?:and|or)\b|,\s+while\b
    |\b(?:because|since|so|but|as[ ](?:it|this|that|the|we|they|there|I)(?:'\w+)?)\b""",
    re.IGNORECASE | re.VERBOSE,
)

_NEVER = r"(?:\b(?:no(?:t|thing)?|never|cannot|unable|impossible)\b|n't\b)(?![ ](?:null|other)\b)"
_TURNED = (
    "forget|fail|miss|skip|only|just|enough|harm|hurt|matter|problem|prevent|stop|hard|difficult"
    "|expensive|until|before|unless|without|drop|delet|remov"
)
"""Words after a "not" that turn it around, as in "do not forget to restore"."""
_GAP = rf"(?:(?!\b(?:{_TURNED}))[^,]){{0,40}}?\b"
_UNSAID = r"(?<!\bnot[ ])(?<!n't[ ])(?<!\bnever[ ])(?<!\bcannot[ ])"
_NOT_RESTORED = re.compile(
    rf"""
      {_NEVER}{_GAP}(?:restor|re-?creat|re-?add|rebuil|rever|undo|roll|com(?:e|es|ing)[ ]back
      |(?:br[io]\w+|put|set|chang\w+|add\w*|ma[dk]\w+|creat\w+)[ ](?:\w+[ ]){{0,3}}(?:back|again))
    | irreversib | one[- ]way | no[ ]way[ ]back
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NOT_SET_BACK = re.compile(
    rf"""
      {_NEVER}{_GAP}(?:need|support|possib|necessar|requir|set|chang|shorten|narrow|add|put|mak
      |creat|bring|tighten)
    | {_UNSAID}\b(?:skip|skips|skipped|omits?|omitted|unsupported)\b
    | \bno[- ]?op\b | does[ ]nothing
    | {_UNSAID}\b(?:keep|keeps|kept|stay|stays|leave|leaves|left|remain|remains)\b
      .{{0,40}}\b(?:out|off|away|aside|dropped|removed|deleted|gone)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What says so only where it is about the way back."""
_LEFT_AS_IT_IS = re.compile(
    rf"""
      {_UNSAID}\b(?:keep|keeps|kept|stay|stays|leave|leaves|left|remain|remains)\b(?![ ]no\b)
    | intention | on[ ]purpose | deliberate | by[ ]design | harmless
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""The same of what is there otherwise; what is missing is not kept."""
_GONE = re.compile(r"\b(?:lost|loses?|gone|for[ ]good)\b", re.IGNORECASE)
_ANY_NEVER = re.compile(_NEVER, re.IGNORECASE)
_LIMITED = re.compile(
    rf"""
      \b(?:in|within|inside|during)[ ](?:\w+[ ]){{0,2}}
      (?:transactions?|statements?|steps?|go|batch|blocks?|pass|sessions?|savepoints?|txn)\b
    | \b(?:transactional\w*|concurrently|online|in[ ]parallel|at[ ]once|twice|quick\w*|fast)\b
    | \bwithout[ ](?:\w+[ ])?(?:downtime|lock\w*|block\w*|interrupt\w*|outage|rewrit\w*|batch)
    | \b(?:while|unless|until|till|before|if|when|whenever)\b(?!.*{BACK.pattern})
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What is only impossible at some time or in some manner is possible otherwise."""

_THIS = re.compile(
    r"\b(?:this|it|there|we|you|downgrade|upgrade|migration|revision|changes?|operation|step)\b",
    re.IGNORECASE,
)
"""What such words are about where they are about the revision; a hash is one-way, too."""
_IT = re.compile(r"it", re.IGNORECASE)
_BARE = re.compile(
    r"""(?:\W|\b(?:can|could|do|does|did|is|are|be|may|must|should|will|ha[sd]|have|that|and|or|also
    |note|warning|caution|todo|destructive|lossy|effectively|currently|generally|practically)\b)*""",
    re.IGNORECASE | re.VERBOSE,
)
"""Before such words where they are about nothing that is named."""
_WORK = r"(?:migrations?|revisions?|changes?|upgrades?|downgrades?|operations?|steps?|schemas?)"
_TO_DO = (
    r"(?:(?:\w+ly|be|been|to|or|and|an?|any|the|way|ways|need|needs|needed|want|try|attempt|able"
    r"|allow|support|supported|possible|do|does|have|has|provide|implement|safe|automatic|clean"
    r"|easy|proper|real|full|complete|direct|meaningful|reliable|destructive|schema|migration|run"
    r"|perform|going|meant|designed|intend|intended|plan|necessary|required|for|on)[ ]){0,6}"
)
_REST = re.compile(
    rf"""
    (?: [ ]*
      (?: back | here | at[ ]all | any[ ]?more | any[ ]?(?:way|how) | either | anything
        | everything | \w+ly
        | (?:this|it|that|these|them)(?:[ ](?:\w+[ ])?{_WORK})? | (?:the[ ])?(?:\w+[ ])?{_WORK}
        | in[ ](?:general|practice|production|any[ ]way) | on[ ]purpose | by[ ]design
        | for[ ](?:safety|now|\w+[ ]reasons?|this[ ]{_WORK}) | from[ ](?:this|here|there|it)
        | (?:past|below|beyond)[ ](?:this|it|here)(?:[ ]{_WORK})?
        | to[ ](?:an?|the|any)[ ](?:previous|earlier|older|old|prior)[ ]
          (?:schema|state|version|revision|release|one)
        | to[ ](?:keep|avoid)[ ].*
        | without[ ].*(?:backup|dump|snapshot).* | once[ ].* | after[ ].* | path | possible | needed
        | necessary | required | supported | provided | available | implemented
      ) \b
    )* \W* $
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""After such words where they are about nothing else: not "we cannot roll back DDL"."""
_UNDONE = (
    r"(?:revers(?!ib)\w*|undo\w*|downgrad\w*|roll(?:s|ed|ing)?\b|rollback\w*|revert\w*"
    r"|go(?:ing)?[ ]back)"
)
_BROUGHT = (
    r"(?:restor\w*|re-?creat\w*|re-?add\w*|rebuil\w*|com(?:e|es|ing)[ ]back"
    r"|(?:br[io]\w+|put|add\w*)[ ](?:(?:it|this|that|them)[ ])?back)"
)
_FOR_GOOD = re.compile(
    rf"""
    (?: irreversible | (?:irrecover|unrecover)able | one[- ]way )
      (?![ ](?!{_WORK}\b|by\b|on\b|for\b|to\b|as\b|and\b|or\b|once\b|after\b|in\b|at\b|drop)\w)
    | \b(?:not|non)[ -](?:\w+[ ])?reversible
      (?![ ](?!by\b|on\b|for\b|as\b|and\b|or\b|once\b|after\b|in\b|at\b|\w+ly\b|{_WORK}\b)\w)
    | only[ ]way[ ]is[ ]up
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NO_WAY = re.compile(
    rf"no[ ]way[ ]back|(?:{_NEVER})[ ]{_TO_DO}{_UNDONE}", re.IGNORECASE | re.VERBOSE
)
_NO_WAY_FOR_IT = re.compile(rf"(?:{_NEVER})[ ]{_TO_DO}{_BROUGHT}", re.IGNORECASE | re.VERBOSE)
_BY_ITSELF = re.compile(
    r"irreversible|no[ ]way[ ]back|\b(?:undo|undone|revers\w+|revert\w*)\b", re.IGNORECASE
)
"""What is about all even beside one operation of many; other words are about that operation."""
_ONE_WAY = re.compile(
    r"\b(?:migration|revision)\b.*\bone[- ]way|one[- ]way[ ](?:migr|revis)", re.IGNORECASE
)
_NOTHING = (
    r"(?:does|do|did|has)[ ]nothing|no[- ]?op|empty|incomplete|omit\w*|skip\w*|leav\w+|left|keep\w*"
    r"|kept|preserv\w*|partial\w*|minimal|irreversible"
)
_ON_PURPOSE = r"intention\w*|on[ ]purpose|deliberate\w*|by[ ]design"
_IN_PART = re.compile(
    rf"""
      \bpartial(?:ly)?[ ](?:downgrad|roll|revers|restor|support|possib|undo|revert|implement)
    | \b(?:is|are|only|be|remains)[ ](?:\w+ly[ ])?partial\b
    | \b(?:is|are|be|remains?|stays?|left)[ ](?:\w+ly[ ])?(?:incomplete|unsupported)\b
    | \b(?:incomplete|unsupported)[ ](?:downgrad|roll) | best[- ]effort
    | \bno[- ]?op\b | does[ ]nothing(?![ ](?:to|with|about)\b)
    | \b(?:{_ON_PURPOSE})\b.*(?:\b(?:{_NOTHING})\b|{_NEVER})
    | (?:\b(?:{_NOTHING})\b|{_NEVER}).*\b(?:{_ON_PURPOSE})\b
    | {_NEVER}[ ](?:\w+[ ]){{0,2}}(?:complete|full)(?:ly)?[ ]
      (?:\w+[ ])?(?:restor|revers|undo|revert|downgrad|roll|support|implement)
    | {_NEVER}[ ](?:\w+[ ]){{0,2}}(?:restore|undo|revert|bring[ ]back)[ ]
      (?:everything|anything|all|(?:the[ ])?(?:\w+[ ])?(?:schema|structure))\b(?![ ](?:else|but)\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What is meant for all of a downgrade where a downgrade is what the sentence is about."""
_NOT_OFFERED = re.compile(
    rf"{_NEVER}[ ](?:\w+[ ]){{0,3}}(?:supported|possible|implemented)|\bimpossible\b", re.IGNORECASE
)
"""The same where it stands alone: older databases may not support some syntax, too."""
_HOW_POSSIBLE = re.compile(
    r"\bit[ ](?:is|was|will[ ]be|would[ ]be|seems)[ ](?:\w+[ ]){0,2}"
    r"(?:possible|impossible|necessary|needed|supported|safe|required|allowed|enough|easy|hard)\b",
    re.IGNORECASE,
)
_REFERRING = re.compile(
    r"\b(?:it|they|them)\b"
    r"|\b(?:that|these|those)\b(?=[ ](?:is|are|was|were|can|do|does|will)|\W*$)",
    re.IGNORECASE,
)


def clauses(sentence: str) -> list[str]:
    """What a sentence says, one after another; a question says nothing."""
    return [] if sentence.rstrip().endswith("?") else _CLAUSE.split(sentence)


def is_for_another(clause: str, dialects: tuple[str, ...]) -> bool:
    """Whether it is about a database that is none of these."""
    found = _DATABASE.findall(clause)
    named = {each for match in found for each, said in zip(_DATABASES, match, strict=True) if said}
    return bool(named and dialects) and named.isdisjoint(dialects)


def refuses(clause: str, *, back: bool, missing: bool) -> bool:
    """Whether it says of what it names that this does not come back as it was."""
    if _LIMITED.search(clause):
        return False
    if _NOT_RESTORED.search(clause) or (back and _NOT_SET_BACK.search(clause)):
        return True
    if not missing:
        return back and _LEFT_AS_IT_IS.search(clause) is not None
    gone = _GONE.search(clause)
    return gone is not None and not _ANY_NEVER.search(clause[: gone.start()])


def refuses_this(clause: str) -> bool:
    """Whether it says of what it stands beside, without naming it, that it does not come back."""
    return not _LIMITED.search(clause) and _is_bare(clause, _NO_WAY_FOR_IT)


def refuses_all(clause: str, *, back: bool, follows: bool) -> bool:
    """Whether it says that there is no way back from a whole revision, or not all of one.

    `back` is what is about a downgrade; what `follows` a sentence on something else may say "it"
    of that.
    """
    if _LIMITED.search(clause):
        return False
    if back and _is_in_part(clause):
        return True
    return any(_is_bare(clause, way, follows=follows) for way in (_NO_WAY, _FOR_GOOD))


def _is_in_part(clause: str) -> bool:
    alone = (_REST.match(clause, found.end()) for found in _NOT_OFFERED.finditer(clause))
    return _IN_PART.search(clause) is not None or any(alone)


def refuses_all_anywhere(clause: str, *, follows: bool) -> bool:
    """The same of what stands beside one operation of many, which may be about that only."""
    by_itself = _BY_ITSELF.search(clause) or _ONE_WAY.search(clause)
    return by_itself is not None and refuses_all(clause, back=False, follows=follows)


def _is_bare(clause: str, way: re.Pattern[str], *, follows: bool = False) -> bool:
    """Whether it says such words of "this" or of nothing, and of nothing else."""
    for match in way.finditer(clause):
        subject = clause[: match.start()]
        words = [word for word in _THIS.findall(subject) if not (follows and _IT.fullmatch(word))]
        of_this = bool(words) or _BARE.fullmatch(subject) is not None
        if of_this and (way is _FOR_GOOD or _REST.match(clause, match.end())):
            return True
    return False


def kinds(clause: str) -> frozenset[str]:
    """The kinds of things that a clause is about, not those that only say which or where."""
    found = [*_KIND.finditer(clause)]
    of_next = {
        first
        for first, second in pairwise(found)
        if first.lastgroup in _OWNERS and _WHOSE.fullmatch(clause, first.end(), second.start())
    }
    ends = {match.end() for match in found}
    about = (
        match.lastgroup
        for match in found
        if match not in of_next and not _is_place(clause[: match.start()], ends)
    )
    return frozenset(kind.replace("_", " ") for kind in about if kind)


def _is_place(before: str, ends: set[int]) -> bool:
    """Whether what comes next only says where; "of" says whose after another such word."""
    place = _PLACE.search(before)
    return place is not None and (place[1].casefold() != "of" or place.start() - 1 in ends)


def refers_back(clause: str) -> bool:
    """Whether it is about what the sentence before is about."""
    return _REFERRING.search(_HOW_POSSIBLE.sub("", clause)) is not None
