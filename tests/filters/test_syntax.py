"""What a refusal tells a person."""

from filters.syntax import Problem, RuleSyntaxError


def test_a_refusal_reads_as_a_sentence_with_its_place() -> None:
    refusal = RuleSyntaxError(1207, 3, "ex ample", Problem.NOT_A_NAME)
    assert str(refusal) == "line 1,207, column 3: this is no host name, address or web address: ex ample"
    assert refusal.why == Problem.NOT_A_NAME.value


def test_every_problem_has_a_clause_of_its_own() -> None:
    clauses = [problem.value for problem in Problem]
    assert len(set(clauses)) == len(clauses)
    assert all(clause[0].islower() and not clause.endswith(".") for clause in clauses)
