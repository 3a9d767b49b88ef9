"""From the label to a spec that may be worked on."""

import pytest
from inline_snapshot import snapshot

from tests.stories import scripts
from tests.stories.world import World

pytestmark = pytest.mark.story


def test_a_clean_first_round_goes_straight_to_work(world: World):
    # given a reviewer who finds nothing
    world.repository(scripts.FILES)
    world.voice.policy = scripts.play()
    number = world.issue(scripts.TITLE, scripts.BODY)

    # when it is labelled
    world.label(number)

    # then one draft and one review were paid for, and the status says so
    world.ends(number, "in-review")
    assert [it.name for it in world.voice.calls if it.role != "work"] == ["spec/draft", "review/challenge"]
    assert world.status(number) == snapshot("""\
**Journeyman** opened pull request #2 for review · $<cost> of $<cost> · under a minute

|  | phase | result |
|---|---|---|
| done | Spec | revision 1 (`<sha>`), reviewed by OpenAI in 1 round: no findings |
| done | Plan | 1 task in 1 line of work |
| done | Work | t1 Greet the world: **done** |
| done | Verify, deliver | #2 (ready): PASS: 1 of 1 commands passed |

Review and merge as usual; Journeyman never merges. Say `/agent refine <text>` to change the spec and the work.

<details><summary>Log, cost and what was read</summary>

| time (UTC) | what | who | cost |
|---|---|---|---|
| <time> | labelled `agent` (write permission checked) | @ maria |  |
| <time> | spec revision 1 drafted | claude-opus-5-5 | $<cost> |
| <time> | reviewed in 1 round: verdict clean | gpt-6.2-sol | $<cost> |
| <time> | plan: 1 task in 1 line of work | code |  |
| <time> | task t1 done in 2 turns: `<sha>` | claude-sonnet-5-5 | $<cost> |
| <time> | verified `<sha>`: PASS, 1 of 1 commands passed |  |  |
| <time> | pull request #2 opened from `agent/1-greet-the-world` |  |  |

Read at the base commit: `AGENTS.md` (35 bytes). Nothing was cut.

Left out: 1 comment by a bot.
</details>\
""")
