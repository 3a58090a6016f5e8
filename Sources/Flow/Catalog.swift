public import Model

/// All that the program knows as data: the tree, the pages, the sentences and the signs. Each part is read when it is
/// first wanted.
public struct Catalog: Sendable, Equatable {
  @Later public var tree: Tree
  /// The hops of the way from the browser to the app, in its order.
  @Later public var hops: [String]
  /// Up to this hop a request is on its way to the proxy, and behind it on its way to the app.
  @Later public var middle: String?
  /// By cause id.
  public var pages: Pages
  /// What is true for no cause alone, by name.
  public var guides: Pages
  /// What a checkup looks for, and a page for each weakness.
  @Later public var checkup: Checkup
  public var weaknesses: Pages
  /// By check id.
  @Later public var checks: [String: CheckText]
  /// By kind of look: the ways in which a person takes it, the first one that can be filled in is shown.
  @Later public var looks: [String: [ByHand]]
  /// The words of the program itself, by name.
  @Later public var words: [String: Template]
  @Later public var glossary: Glossary
  @Later public var signs: Signs

  public init(
    tree: @autoclosure @escaping @Sendable () -> Tree, hops: @autoclosure @escaping @Sendable () -> [String] = [],
    middle: @autoclosure @escaping @Sendable () -> String? = nil, pages: Pages, guides: Pages = [:],
    checkup: @autoclosure @escaping @Sendable () -> Checkup = Checkup(),
    weaknesses: Pages = [:], checks: @autoclosure @escaping @Sendable () -> [String: CheckText],
    looks: @autoclosure @escaping @Sendable () -> [String: [ByHand]] = [:],
    words: @autoclosure @escaping @Sendable () -> [String: Template],
    glossary: @autoclosure @escaping @Sendable () -> Glossary = Glossary(),
    signs: @autoclosure @escaping @Sendable () -> Signs
  ) {
    _tree = Later(tree)
    _hops = Later(hops)
    _middle = Later(middle)
    self.pages = pages
    self.guides = guides
    _checkup = Later(checkup)
    self.weaknesses = weaknesses
    _checks = Later(checks)
    _looks = Later(looks)
    _words = Later(words)
    _glossary = Later(glossary)
    _signs = Later(signs)
  }

  /// Reads what a session needs, in another order than it comes to that: beside what reads it now.
  public func prepare() { _ = (signs, checks, tree) }

  /// A sentence of the program itself. A name that the catalogue lacks is shown as the name.
  public func word(_ name: String, _ facts: Facts = Facts()) -> String { words[name]?.prose(facts) ?? name }

  /// The hop at which most of the checks that find this cause look, the last of several; nil if none finds it.
  public func hop(of cause: String) -> String? {
    let found = tree.nodes.values.compactMap { node -> String? in
      guard case .check(let check) = node.looks else { return nil }
      let names = node.branches.filter { !$0.keys.contains(Finding.unknown) }.flatMap(\.names)
      return names.contains { $0.cause == cause } ? checks[check]?.hop : nil
    }
    return hops.enumerated().max { one, other in
      let (fewer, more) = (found.count { $0 == one.element }, found.count { $0 == other.element })
      return (fewer, one.offset) < (more, other.offset)
    }.flatMap { found.contains($0.element) ? $0.element : nil }
  }

  /// The title of a cause's page as far as the facts fill it in.
  public func title(of cause: String, _ facts: Facts) -> String {
    pages[cause]?.title(facts) ?? cause
  }
}

/// What a check is called, where on the way it looks, and what its outcomes mean in words.
public struct CheckText: Sendable, Equatable {
  public struct Outcome: Sendable, Equatable {
    public let mark: Diagnosis.Evidence.Mark
    /// The first one that the facts can fill in is said.
    public let sentences: [Template]
    public init(mark: Diagnosis.Evidence.Mark, sentences: [Template]) {
      self.mark = mark
      self.sentences = sentences
    }
  }

  public let title: String
  /// The hop of the way from the browser to the app that it looks at.
  public let hop: String
  /// A command that shows the same by hand.
  public let byHand: Template?
  public let outcomes: [String: Outcome]
  public init(title: String, hop: String, byHand: Template?, outcomes: [String: Outcome]) {
    self.title = title
    self.hop = hop
    self.byHand = byHand
    self.outcomes = outcomes
  }
}

extension Catalog {
  /// A finding in words, with the facts known by then.
  public func evidence(_ finding: Finding, _ facts: Facts) -> Diagnosis.Evidence {
    var facts = facts.merging(finding.facts)
    facts[.unseenReason] = finding.unseen.map { reason($0) }
    let outcome = checks[finding.check]?.outcomes[finding.outcome]
    let text = outcome?.sentences.firstMapped { $0.prose(facts) }
    return Diagnosis.Evidence(
      check: finding.check, mark: outcome?.mark ?? .unknown, text: text ?? "\(finding.check): \(finding.outcome)")
  }

  /// Why something could not be seen, in words.
  public func reason(_ unseen: Unseen) -> String {
    let (name, facts): (String, Facts) =
      switch unseen {
      case .notPermitted(let what): ("unseen.not-permitted", ["unseen.what": what])
      case .missing(let what): ("unseen.missing", ["unseen.what": what])
      case .noAnswer(let seconds): ("unseen.no-answer", ["unseen.seconds": seconds.inWords])
      case .unreadable(let what, let why):
        (
          "unseen.unreadable",
          ["unseen.what": what, "unseen.why": word("unseen.why.\(why.kind.rawValue)", ["unseen.detail": why.detail])]
        )
      case .notEnoughKnown(let names):
        ("unseen.not-enough-known", ["unseen.what": names.map(\.text).joined(separator: ", ")])
      case .notRecorded(let what): ("unseen.not-recorded", ["unseen.what": what])
      }
    return word(name, facts)
  }
}
