/// Why something could not be seen. "Not seen" is never shown as "fine".
public enum Unseen: Error, Sendable, Equatable, Hashable, Codable {
  /// The system refused; `what` names the thing: a path, a socket, a namespace.
  case notPermitted(what: String)
  /// There is no such thing: a file, a socket, a process, a container.
  case missing(what: String)
  /// Nothing came within the time limit, in seconds.
  case noAnswer(seconds: Double)
  /// It is there and cannot be read: damaged, locked, cut, in an unknown form.
  case unreadable(what: String, why: Reason)
  /// Facts that no check could supply.
  case notEnoughKnown([FactName])
  /// This recording holds no such look.
  case notRecorded(what: String)

  /// What was not seen: a path, a socket; empty where it has no name.
  public var what: String {
    switch self {
    case .notPermitted(let what), .missing(let what), .unreadable(let what, _), .notRecorded(let what): what
    case .noAnswer: ""
    case .notEnoughKnown(let names): names.map(\.text).joined(separator: ", ")
    }
  }

  /// True where the thing is known not to be there.
  public var isMissing: Bool { if case .missing = self { true } else { false } }
}

extension Unseen {
  /// Why something that is there cannot be read. Its sentence is a word of `Screens/words.yaml`: `unseen.why.KIND`.
  public struct Reason: Sendable, Hashable, Codable {
    public let kind: Kind
    /// What the sentence tells besides (`unseen.detail`): a size, a status, a name, somebody else's words.
    public let detail: String

    public init(_ kind: Kind, _ detail: String = "") { (self.kind, self.detail) = (kind, detail) }

    /// In the words of the system, of a library, or of what was asked.
    public static func said(_ words: String) -> Reason { Reason(.said, words) }
  }
}

extension Unseen.Reason {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    case said
    // Of files.
    case notFile = "not-file"
    case notFolder = "not-folder"
    case notSocket = "not-socket"
    case notOnDisk = "not-on-disk"
    case notAbsolute = "not-absolute"
    case tooLarge = "too-large"
    case tooManyPaths = "too-many-paths"
    case tooManyFiles = "too-many-files"
    case changing
    case locked
    case writeInterrupted = "write-interrupted"
    // Of what is in them.
    case otherForm = "other-form"
    case notFormat = "not-format"
    case template
    case tooComplex = "too-complex"
    case tooDeep = "too-deep"
    case tooManyParts = "too-many-parts"
    case givenUp = "given-up"
    case longLine = "long-line"
    case longWord = "long-word"
    case longText = "long-text"
    case notInFiles = "not-in-files"
    case undecidedBlock = "undecided-block"
    case nameInVariable = "name-in-variable"
    case outputOf = "output-of"
    case inEnvironment = "in-environment"
    case byHeader = "by-header"
    case controlPlane = "control-plane"
    case noServers = "no-servers"
    case noAddress = "no-address"
    // Of the system.
    case oldKernel = "old-kernel"
    case noResources = "no-resources"
    case notStarted = "not-started"
    case exitCode = "exit-code"
    case noSuchLook = "no-such-look"
    // Of what is asked.
    case notAddress = "not-address"
    case notHostAndPort = "not-host-and-port"
    case noServer = "no-server"
    case notServer = "not-server"
    case noAnswer = "no-answer"
    case silent
    case status
    case closed
    case noName = "no-name"
    case noRoute = "no-route"
    case noSocket = "no-socket"
    case engineDown = "engine-down"
    case notEngine = "not-engine"
    case engineElsewhere = "engine-elsewhere"
    case unknownScheme = "unknown-scheme"
    // Of another machine, by ssh.
    case unknownKey = "unknown-key"
    case changedKey = "changed-key"
    case noKey = "no-key"
    case printsNothing = "prints-nothing"
  }
}
