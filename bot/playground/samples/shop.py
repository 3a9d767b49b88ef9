"""A small shop with a failing test suite: the discount is taken per item instead of once, and nothing stops it at zero."""

from bot.core.conversation import Json
from bot.playground.samples.sample import Sample, report, review, spec
from bot.playground.vendor_replies import Call, Script, tools

TEST = "python3 -m unittest discover -s tests -v"
CART = '''"""A shopping cart. Amounts are whole cents."""

from dataclasses import dataclass, field


@dataclass
class Cart:
    """Items by name, with unit price and quantity."""

    items: dict[str, tuple[int, int]] = field(default_factory=dict)
    discount: int = 0

    def add(self, name: str, price: int, quantity: int = 1) -> None:
        """Add an item; the same name again raises the quantity."""
        if price < 0 or quantity < 1:
            raise ValueError("price must not be negative and quantity must be at least 1")
        held = self.items.get(name, (price, 0))
        self.items[name] = (price, held[1] + quantity)

    def total(self) -> int:
        """What is to be paid, in cents."""
        return sum(price * quantity - self.discount for price, quantity in self.items.values())
'''
TESTS = """import unittest

from shop.cart import Cart


class CartTest(unittest.TestCase):
    def test_an_empty_cart_costs_nothing(self):
        self.assertEqual(Cart().total(), 0)

    def test_quantities_count(self):
        cart = Cart()
        cart.add("tea", 350, 2)
        cart.add("tea", 350)
        self.assertEqual(cart.total(), 1050)

    def test_a_discount_is_taken_once(self):
        cart = Cart(discount=100)
        cart.add("tea", 350)
        cart.add("cup", 900)
        self.assertEqual(cart.total(), 1150)


if __name__ == "__main__":
    unittest.main()
"""
FILES = {
    "AGENTS.md": "# Rules\n\n- Amounts are whole cents; never use floats for money.\n- Every behaviour has a test in `tests/`.\n",
    "README.md": "# shop\n\nA cart that can add up.\n",
    ".github/agent.yml": f"version: 1\nverify:\n  commands:\n    - name: unit\n      run: {TEST}\n      timeout: 120\n",
    ".gitignore": "__pycache__/\n",
    "shop/__init__.py": "",
    "shop/cart.py": CART,
    "tests/__init__.py": "",
    "tests/test_cart.py": TESTS,
}
TITLE = "The discount is taken off once per item"
BODY = """A cart with a discount of 1.00 and two different items comes out 2.00 cheaper. The discount belongs to the cart and must be
taken once. `tests/test_cart.py` shows it: one test has been red since Monday.
"""

_R1: Json = {
    "id": "R1",
    "text": "WHEN a cart has a discount, the system SHALL take it off the sum of all items once.",
    "criteria": ["Two items of 350 and 900 cents with a discount of 100 cost 1150."],
    "source": "issue",
    "source_ref": "",
}
_R2: Json = {
    "id": "R2",
    "text": "IF the discount is larger than the sum of the items, THEN the system SHALL return a total of 0.",
    "criteria": ["One item of 350 cents with a discount of 500 costs 0."],
    "source": "assumption",
    "source_ref": "A1",
}
_CHANGES: list[Json] = [
    {"path": "shop/cart.py", "kind": "modify", "why": "take the discount once, off the sum"},
    {"path": "tests/test_cart.py", "kind": "modify", "why": "a test for each criterion"},
]
_CONVENTIONS: list[Json] = [
    {"rule": "amounts are whole cents", "where": "AGENTS.md:3", "status": "met: integers only"},
    {"rule": "every behaviour has a test", "where": "AGENTS.md:4", "status": "met by R1's and R2's criteria"},
]
_FIXED = '''        """What is to be paid, in cents: the discount comes off the sum once, and never below zero."""
        gross = sum(price * quantity for price, quantity in self.items.values())
        return max(gross - self.discount, 0)
'''
_OLD = CART[CART.index('        """What is to be paid') :]
_NEW_TEST = """        self.assertEqual(cart.total(), 1150)

    def test_a_discount_never_makes_a_total_negative(self):
        cart = Cart(discount=500)
        cart.add("tea", 350)
        self.assertEqual(cart.total(), 0)
"""


def _draft(*requirements: Json, edge_cases: str) -> Json:
    return spec(
        title="Take a cart's discount once",
        tldr="A cart's discount comes off the sum of its items once, whatever the number of items.",
        problem="The discount is subtracted for every line of the cart, so carts with several items are too cheap.",
        requirements=list(requirements),
        changes=_CHANGES,
        verification=[TEST],
        edge_cases=edge_cases,
        conventions=_CONVENTIONS,
        assumptions=[{"id": "A1", "text": "A total never goes below zero.", "reversible": True, "needs_person": False}],
        risks=[
            {
                "text": "Somebody relies on the cheaper totals.",
                "severity": "low",
                "mitigation": "The issue calls it a fault.",
            }
        ],
    )


_FINDING: Json = {
    "severity": "major",
    "dimension": "edge cases",
    "claim": "A discount larger than the sum gives a negative total, which a checkout would pay out.",
    "scenario": "One item of 350 cents, discount 500: total() returns -150.",
    "path": "shop/cart.py",
    "line": 24,
    "quote": "return sum(price * quantity - self.discount for price, quantity in self.items.values())",
}


def _challenge(call: Call) -> Json:
    """Round one finds the missing floor; round two, which shows the finding as fixed, settles it."""
    if "F1 ·" not in call.users[0]:
        return review(findings=[_FINDING])
    return review(earlier=[{"finding": "F1", "outcome": "settled", "because": "R2 and its criterion rule it out"}])


def sample() -> Sample:
    """The shop, its issue, and a script in which the reviewer finds something real."""
    script = Script()
    script.on("spec/draft", _draft(_R1, edge_cases="An empty cart costs nothing, with or without a discount."))
    script.on(
        "spec/revise",
        {
            **_draft(_R1, _R2, edge_cases="An empty cart costs nothing; a discount larger than the sum gives 0 (R2)."),
            "decisions": [
                {"finding": "F1", "decision": "fixed", "reason": "R2 and AC2.1 added: the total stops at zero"}
            ],
        },
    )
    script.on("review/challenge", _challenge)
    script.on(
        "work/task",
        tools(("bash", {"command": "cat AGENTS.md shop/cart.py tests/test_cart.py", "timeout": 30})),
        tools(("bash", {"command": f"{TEST} 2>&1 | tail -n 15", "timeout": 120})),
        tools(
            ("edit", {"path": "shop/cart.py", "old": _OLD, "new": _FIXED}),
            (
                "edit",
                {
                    "path": "tests/test_cart.py",
                    "old": "        self.assertEqual(cart.total(), 1150)\n",
                    "new": _NEW_TEST,
                },
            ),
        ),
        tools(("bash", {"command": f"{TEST} 2>&1 | tail -n 15", "timeout": 120})),
        tools(("report", report())),
    )
    return Sample("acme/shop", FILES, TITLE, BODY, script)
