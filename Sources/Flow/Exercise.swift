/// A recorded system to practise on: first broken, then as it was after each fix, at last working.
public struct Exercise: Sendable, Equatable {
  public let name: String
  public let title: String
  /// What is wrong as its owner sees it, and what is to be found out.
  public let goal: String
  /// From a nudge to nearly the answer.
  public let hints: [String]
  /// What an expert would have looked at first.
  public let first: String
  /// What is wrong with each of its systems, in their order; the last system, which comes after them, works.
  public let causes: [String]
  /// Causes that can be chosen besides, and are none.
  public let others: [String]

  public init(
    name: String, title: String, goal: String, hints: [String], first: String, causes: [String], others: [String]
  ) {
    (self.name, self.title, self.goal, self.hints) = (name, title, goal, hints)
    (self.first, self.causes, self.others) = (first, causes, others)
  }
}
