public import Model

/// Where something is written in a data file.
public struct SourcePlace: Sendable, Hashable {
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
  /// The ways on that branches name.
  public var follows: [String: Follow]
  /// Findings that cannot all be true: outcomes by check.
  public var contradictions: [[String: Set<String>]]
  public init(
    start: String, nodes: [String: Node], follows: [String: Follow] = [:],
    contradictions: [[String: Set<String>]] = []
  ) {
    self.start = start
    self.nodes = nodes
    self.follows = follows
    self.contradictions = contradictions
  }

  /// Every check that a node or a contradiction looks at.
  var checks: Set<String> {
    let looked = nodes.values.compactMap { if case .check(let id) = $0.looks { id } else { nil } }
    return Set(looked + contradictions.flatMap(\.keys))
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

  /// The branch of any known value that has none of its own.
  public static let other = "other"
  /// The branch of "I do not know", and of a question that nobody answers.
  public static let unsure = "unsure"
  /// The branch of a fact that is not known, where nobody is asked.
  public static let absent = "absent"

  /// What its answers tell besides the fact that is asked for.
  public var given: Set<FactName> { branches.reduce(into: []) { $0.formUnion($1.gives.names) } }

  public func branch(for value: String) -> Branch? {
    branches.first { $0.keys.contains(value) } ?? branches.first { $0.keys.contains(Self.other) }
  }
}

/// Where outcomes, values or answers lead: one line of a node.
public struct Branch: Sendable, Equatable {
  public struct Names: Sendable, Equatable {
    public let cause: String
    public let confidence: Confidence
    public init(cause: String, confidence: Confidence) {
      self.cause = cause
      self.confidence = confidence
    }
  }

  /// Every outcome or value that it stands for.
  public let keys: [String]
  /// The keys as they are written: `found, default`, or `otherwise` for all that have no line of their own.
  public let written: String
  /// The answer as a person picks it; nil where nobody is asked. Where it has nothing to say of the proxy, it is no answer.
  public let text: Wording?
  /// Of an answer: what lines of a log show that give it. Names are those of signs.
  public let shows: [String]
  /// Of an answer: what else whoever gives it has told by that, where nothing is known of it yet.
  public let gives: Facts
  /// The causes that it shows, each as sure as it is if everything before it could be seen.
  public let names: [Names]
  public let go: String?
  /// Ends with this verdict if no cause was named.
  public let end: Diagnosis.Verdict?
  /// The way on, one of the tree's, by which the case goes on elsewhere. The rest counts if there is nothing to go on
  /// with, or if nothing is found there.
  public let follow: String?
  public let at: SourcePlace

  public init(
    keys: [String], written: String? = nil, text: Wording? = nil, shows: [String] = [], gives: Facts = Facts(),
    names: [Names] = [], go: String? = nil, end: Diagnosis.Verdict? = nil, follow: String? = nil, at: SourcePlace
  ) {
    self.keys = keys
    self.written = written ?? keys.joined(separator: ", ")
    self.text = text
    self.shows = shows
    self.gives = gives
    self.names = names
    self.go = go
    self.end = end
    self.follow = follow
    self.at = at
  }
}

/// How a case goes on elsewhere.
public struct Follow: Sendable, Equatable {
  public enum How: String, Sendable, CaseIterable {
    /// At another address, as a case of its own.
    case anew
    /// At the address of what stands behind; what was seen so far belongs to its evidence.
    case behind
    /// At the same address; what was seen at some hops holds on.
    case within
  }

  public let how: How
  /// The fact without which the case ends here: but for `within` the URL at which it goes on.
  public let to: FactName
  /// What the next session is given: of these facts of this one the first that is known.
  public let gives: [FactName: [FactName]]
  /// Hops whose findings hold on.
  public let keeps: [String]

  public init(how: How, to: FactName, gives: [FactName: [FactName]] = [:], keeps: [String] = []) {
    self.how = how
    self.to = to
    self.gives = gives
    self.keeps = keeps
  }
}

/// What a person is asked. Its answers are the node's branches that have a text.
public struct Question: Sendable, Equatable {
  public let text: Template
  public let why: Template
  public let findOut: Wording
  /// A command that shows it. A word in capitals, such as APP, is for the person to fill in.
  public let run: Wording?
  /// What it prints, for example.
  public let example: Wording?
  public init(text: Template, why: Template, findOut: Wording, run: Wording? = nil, example: Wording? = nil) {
    self.text = text
    self.why = why
    self.findOut = findOut
    self.run = run
    self.example = example
  }
}
