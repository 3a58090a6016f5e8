/// How much of anything from outside is taken in, in one place.
///
/// What lies beyond a limit was not seen: whoever meets one says so (`Unseen.unreadable`), and never takes the rest for
/// absent.
public enum Limits {
  /// Bytes of a file that is read whole.
  public static let file = 16 << 20
  /// Bytes of a SQLite database, and of its log: it is in memory three times while it is read.
  public static let database = 48 << 20
  /// Paths that a shell pattern may match.
  public static let paths = 10_000
  /// Files that one configuration may take in, each counted as often as it is taken in.
  public static let includes = 10_000
  /// Directives, or nodes of a tree, of one configuration, those of all its files together.
  public static let nodes = 375_000
  /// Words of one directive that count as one node.
  public static let wordsOfNode = 2
  /// Bytes of one line of a configuration, those that a backslash joins together.
  public static let line = 1 << 20
  /// Bytes of one value after its variables have been filled in.
  public static let value = 64 << 10
  /// Characters of what is read as pasted evidence.
  public static let pasted = 64 << 20
  /// Scalars of what is pasted in a session, at once and in all.
  public static let pastedAtOnce = 1 << 20
  /// Lines without the command above them that are looked at in a paste: the newest.
  public static let pastedLines = 50_000
  /// Lines of a paste above which no command stands and which no reader knows, of which it is told whether they are of a
  /// log: the newest.
  public static let bareLines = 5000
  /// Bytes of a line that a terminal takes when it is pasted.
  public static let pastedLine = 4095
  /// Bytes of one word of a command that is shown.
  public static let word = 2048
  /// Parts between the dots of a label's name.
  public static let labelParts = 16
  /// Bytes and records of a recording.
  public static let recording = 256 << 20
  public static let records = 100_000
  /// Bytes of a file with answers for a guided session.
  public static let answers = 64 << 10
  /// Bytes of a line of input; the rest of a longer one is dropped.
  public static let inputLine = 64 << 10
  /// Bytes of a guided session that is kept.
  public static let session = 4 << 20
  /// Sites that are asked at the same time, each by up to two requests.
  public static let sitesAtOnce = 8
  /// Machines that may be named with `--on`, those that are asked at the same time, and bytes that each of them may send.
  public static let hosts = 1000
  public static let hostsAtOnce = 64
  public static let sentByHost = 64 << 20
}
