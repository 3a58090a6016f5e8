/// How sure a cause is.
public enum Confidence: String, Sendable, Codable, CaseIterable, Comparable {
  /// The evidence leaves no other.
  case certain
  /// One thing could not be seen.
  case likely
  case possible

  public static func < (left: Confidence, right: Confidence) -> Bool { left.rank < right.rank }

  /// One step less sure for each thing that could not be seen.
  public func lowered(by unseen: Int) -> Confidence {
    Self.allCases[min(rank + unseen, Self.allCases.count - 1)]
  }

  private var rank: Int {
    switch self {
    case .certain: 0
    case .likely: 1
    case .possible: 2
    }
  }
}

/// The result of one session, as `diagnosis.schema.json` has it.
public struct Diagnosis: Sendable, Equatable {
  public enum Verdict: String, Sendable { case diagnosed, working, inconclusive }

  public struct Observed: Sendable, Equatable {
    public var status: Int?
    public var seconds: Double?
    public var error: String?
    public var emittedBy: String?
    public init(status: Int?, seconds: Double?, error: String?, emittedBy: String?) {
      self.status = status
      self.seconds = seconds
      self.error = error
      self.emittedBy = emittedBy
    }
  }

  public struct Proxy: Sendable, Equatable {
    public let kind: String
    public let place: String
    public let version: String?
    public init(kind: String, place: String, version: String?) {
      self.kind = kind
      self.place = place
      self.version = version
    }
  }

  public struct Route: Sendable, Equatable {
    public let host: String?
    public let upstream: String?
    public let definedIn: String?
    public init(host: String?, upstream: String?, definedIn: String?) {
      self.host = host
      self.upstream = upstream
      self.definedIn = definedIn
    }
  }

  public struct Cause: Sendable, Equatable {
    public let id: String
    public let confidence: Confidence
    public let title: String
    public let explanation: String
    /// What was seen, each with the check that saw it; never empty.
    public let evidence: [Evidence]
    public let steps: [Step]
    public let prevention: [String]
    public let sources: [String]
    public init(
      id: String, confidence: Confidence, title: String, explanation: String, evidence: [Evidence], steps: [Step],
      prevention: [String], sources: [String]
    ) {
      self.id = id
      self.confidence = confidence
      self.title = title
      self.explanation = explanation
      self.evidence = evidence
      self.steps = steps
      self.prevention = prevention
      self.sources = sources
    }
  }

  /// One thing seen: a finding in words.
  public struct Evidence: Sendable, Codable, Equatable {
    public enum Mark: String, Sendable, Codable, CaseIterable { case ok, bad, note, unknown }
    public let check: String
    public let mark: Mark
    public let text: String
    /// By which a person sees the same; nil where there is none.
    public let command: String?
    public init(check: String, mark: Mark, text: String, command: String? = nil) {
      self.check = check
      self.mark = mark
      self.text = text
      self.command = command
    }
  }

  /// A cause that was considered, and the finding that spoke against it.
  public struct RuledOut: Sendable, Equatable {
    public let cause: String
    public let title: String
    public let because: String
    public init(cause: String, title: String, because: String) {
      self.cause = cause
      self.title = title
      self.because = because
    }
  }

  /// One step of a fix, its placeholders filled in.
  public struct Step: Sendable, Equatable, Codable {
    public let text: String
    /// Runs as it stands in a POSIX shell at `place`.
    public let command: String?
    public let place: Place?
    public let file: String?
    /// A unified diff of `file`.
    public let patch: String?
    public let changes: Bool
    public init(text: String, command: String?, place: Place?, file: String?, patch: String?, changes: Bool) {
      self.text = text
      self.command = command
      self.place = place
      self.file = file
      self.patch = patch
      self.changes = changes
    }

    /// The first line of the text; a list or a form may follow it.
    public var sentence: String { String(text.prefix { $0 != "\n" }) }
  }

  /// Where a step is done.
  public enum Place: String, Sendable, CaseIterable, Codable {
    case host, container, file
    case webUI = "web-ui"
    case upstreamHost = "upstream-host"
  }

  public struct CheckRun: Sendable, Equatable {
    public let id: String
    public let outcome: String
    public let seconds: Double
    public let summary: String
    public init(id: String, outcome: String, seconds: Double, summary: String) {
      self.id = id
      self.outcome = outcome
      self.seconds = seconds
      self.summary = summary
    }
  }

  public var url: String
  public var verdict: Verdict
  public var observed: Observed
  public var proxy: Proxy?
  public var route: Route?
  public var causes: [Cause]
  public var ruledOut: [RuledOut]
  public var checks: [CheckRun]
  /// Questions that the evidence could not answer.
  public var questions: [String]
  /// The machine at which was looked, as `--on` names it; nil: this one.
  public var host: String?
  /// Another machine, of which it tells what was seen there.
  public var other: String?

  public init(
    url: String, verdict: Verdict, observed: Observed, proxy: Proxy?, route: Route?, causes: [Cause],
    ruledOut: [RuledOut], checks: [CheckRun], questions: [String], host: String? = nil, other: String? = nil
  ) {
    (self.host, self.other) = (host, other)
    self.url = url
    self.verdict = verdict
    self.observed = observed
    self.proxy = proxy
    self.route = route
    self.causes = causes
    self.ruledOut = ruledOut
    self.checks = checks
    self.questions = questions
  }
}
