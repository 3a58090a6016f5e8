public import Model

/// Where something is written in a data file.
public struct SourcePlace: Sendable, Equatable {
  public let file: String
  public let line: Int
  public let column: Int
  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }
}

/// The decision tree: nodes that look or ask, each with a branch for every way it can turn out.
public struct Tree: Sendable, Equatable {
  public var start: String
  public var nodes: [String: Node]
  public init(start: String, nodes: [String: Node]) {
    self.start = start
    self.nodes = nodes
  }
}

/// One node. A check is a fact the machine supplies, a question one that a person supplies.
public struct Node: Sendable, Equatable {
  public enum Looks: Sendable, Equatable {
    /// Branches by the outcome of a check.
    case check(String)
    /// Branches by the value of a fact; the question, if any, is asked where it is not known.
    case fact(FactName, Question?)
  }

  public let id: String
  public let looks: Looks
  public let branches: [Branch]
  public let at: SourcePlace

  public init(id: String, looks: Looks, branches: [Branch], at: SourcePlace) {
    self.id = id
    self.looks = looks
    self.branches = branches
    self.at = at
  }

  /// The branch of any value that has none of its own.
  public static let other = "other"
  /// The branch of "I do not know", and of a fact that nobody could tell.
  public static let unsure = "unsure"

  public func branch(for value: String) -> Branch? {
    branches.first { $0.key == value } ?? branches.first { $0.key == Self.other }
  }
}

/// Where one outcome, value or answer leads.
public struct Branch: Sendable, Equatable {
  public struct Names: Sendable, Equatable {
    public let cause: String
    public let confidence: Confidence
    public init(cause: String, confidence: Confidence) {
      self.cause = cause
      self.confidence = confidence
    }
  }

  public let key: String
  /// The answer as a person picks it; nil where nobody is asked.
  public let text: Template?
  public let names: Names?
  public let go: String?
  /// Ends with this verdict if no cause was named.
  public let end: Diagnosis.Verdict?
  /// The fact whose URL the case goes on at: a redirect's target, the next proxy. The rest counts if it is unknown, or
  /// if nothing is found there.
  public let follow: FactName?
  public let at: SourcePlace

  public init(
    key: String, text: Template?, names: Names?, go: String?, end: Diagnosis.Verdict?, follow: FactName? = nil,
    at: SourcePlace
  ) {
    self.key = key
    self.text = text
    self.names = names
    self.go = go
    self.end = end
    self.follow = follow
    self.at = at
  }
}

/// What a person is asked. Its answers are the node's branches that have a text.
public struct Question: Sendable, Equatable {
  public let text: Template
  public let why: Template
  public let findOut: Template
  public init(text: Template, why: Template, findOut: Template) {
    self.text = text
    self.why = why
    self.findOut = findOut
  }
}
