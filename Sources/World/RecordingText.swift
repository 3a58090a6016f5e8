internal import FoundationEssentials
public import Model

/// The written form of a recording: lines of JSON, in UTF-8, their members in the order of their names.
///
///     {"course":{"ended":[{"check":"site.answer","round":1,"seconds":0.2}],"given":{"url":"http://shop.example.org/"}},"now":1764388800.25,"records":2,"version":3,"wizard502":"recording"}
///     {"kind":"addresses","look":{},"seconds":0.001,"sight":["192.0.2.1"]}
///     {"kind":"file","look":{"fromEnd":false,"path":"/etc/x","place":"host"},"seconds":0,"unseen":{"missing":{"what":"/etc/x"}}}
///
/// The first line says when it was made, how many records follow, whether secrets were taken out (`"redacted":true`),
/// and, if it is that of a diagnosis, what that was given and which checks ended before its result, in their order.
/// Each other line is a look (its kind, and what it looks at), how many seconds its answer took, and either what was seen
/// (`sight`) or why nothing was (`unseen`). They are ordered by kind and look, so that two recordings can be compared by
/// lines. A change of any look's or sight's members makes another version.
extension Recording {
  public static let version = 3

  /// Every kind of look.
  static let kinds: [any Look.Type] = [
    CommandRun.self, DNSQuery.self, DockerGet.self, Exchange.self, FileGlob.self, FileRead.self, FileSystem.self,
    HTTPRequest.self, IsRoot.self, Listeners.self, OnlyRootChanges.self, OwnAddresses.self, Processes.self,
    SQLiteQuery.self, UnixConnect.self, StatsSocket.self, SystemLookup.self, TCPConnect.self,
  ]

  fileprivate struct Head: Codable {
    static let kind = "recording"
    var wizard502 = Self.kind
    var version = Recording.version
    let now: Double
    let records: Int
    var redacted: Bool?
    var course: Course?
  }

  /// This recording in its written form.
  public var written: [UInt8] {
    let records = sorted
    let head = Head(now: now, records: records.count, redacted: isRedacted ? true : nil, course: course)
    return ([head] as [any Encodable] + records).flatMap { json($0) + [0x0A] }
  }

  /// Reads the written form.
  public convenience init(reading bytes: [UInt8]) throws(Mistake) {
    guard bytes.count <= Limits.recording else { throw Mistake(line: 1, reason: .tooLarge) }
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    // Behind the last line's end.
    let isCut = lines.popLast()?.isEmpty == false
    guard let first = lines.first else { throw Mistake(line: 1, reason: .noRecording) }
    let head = try Self.head(first)
    self.init(now: head.now, course: head.course, isRedacted: head.redacted == true)
    let rest = lines.dropFirst()
    for (index, line) in zip(2..., rest) {
      guard index - 1 <= head.records else { throw Mistake(line: index, reason: .tooMany(said: head.records)) }
      let record = try decoded(AnyLine.self, line, at: index).record
      guard put(new: record) else { throw Mistake(line: index, reason: .twice) }
    }
    guard !isCut, rest.count == head.records else {
      throw Mistake(line: lines.count + (isCut ? 1 : 0), reason: .cut(has: rest.count, said: head.records))
    }
  }

  /// Whether that is the beginning of one, of whatever version.
  public static func begins(_ bytes: [UInt8]) -> Bool {
    do throws(Mistake) { _ = try head(bytes.prefix { $0 != 0x0A }) } catch {
      if case .otherVersion = error.reason { return true }
      return false
    }
    return true
  }

  /// Reads one or more written forms, one behind the other.
  public static func all(reading bytes: [UInt8]) throws(Mistake) -> [Recording] {
    var recordings: [Recording] = []
    var rest = bytes[...]
    repeat {
      var lines = try head(rest.prefix { $0 != 0x0A }).records + 1
      let end = rest.firstIndex { byte in
        if byte == 0x0A { lines -= 1 }
        return lines == 0
      }
      let one = rest.prefix(through: end ?? rest.endIndex - 1)
      recordings.append(try Recording(reading: Array(one)))
      rest = rest[one.endIndex...]
    } while !rest.isEmpty
    return recordings
  }

  private static func head(_ line: ArraySlice<UInt8>) throws(Mistake) -> Head {
    // Another version may have other members.
    struct Version: Decodable {
      let wizard502: String
      let version: Int
    }
    guard let version = try? JSONDecoder().decode(Version.self, from: Data(line)), version.wizard502 == Head.kind else {
      throw Mistake(line: 1, reason: .noRecording)
    }
    guard version.version == Self.version else { throw Mistake(line: 1, reason: .otherVersion(version.version)) }
    let head = try decoded(Head.self, line, at: 1)
    guard head.now.isFinite, (0...Limits.records).contains(head.records) else {
      throw Mistake(line: 1, reason: head.records > Limits.records ? .tooLarge : .otherForm("it has no such numbers"))
    }
    return head
  }

  private func put(new record: any AnyRecord) -> Bool {
    let before = count
    put(record)
    return count > before
  }

  /// What keeps a text from being read as a recording, and where.
  public struct Mistake: Error, Equatable, CustomStringConvertible {
    public enum Reason: Sendable, Equatable {
      /// Its first line is not that of a recording.
      case noRecording
      case otherVersion(Int)
      /// It is larger than `Limits` allow.
      case tooLarge
      /// Fewer records than the first line says, or half of one.
      case cut(has: Int, said: Int)
      case tooMany(said: Int)
      case notJSON
      /// No look of this program is of that kind.
      case unknownLook(String)
      /// JSON in which this is wrong.
      case otherForm(String)
      /// The same look was there before.
      case twice
    }
    /// From 1.
    public let line: Int
    public let reason: Reason

    public var description: String {
      let words =
        switch reason {
        case .noRecording: "this is no recording of wizard502"
        case .otherVersion(let version): "the recording has version \(version); this program reads \(Recording.version)"
        case .tooLarge: "more than \(Limits.recording >> 20) MB, or than \(Limits.records) records"
        case .cut(let has, let said): "the recording is cut: it has \(has) of \(said) records"
        case .tooMany(let said): "more than the \(said) records that there should be"
        case .notJSON: "this is no JSON"
        case .unknownLook(let kind): "no look is called \(kind.excerpt(of: 40))"
        case .otherForm(let what): what.excerpt(of: 200)
        case .twice: "the same look was there before"
        }
      return "line \(line): \(words)"
    }
  }
}

extension Record: AnyRecord {
  private enum Member: CodingKey { case kind, look, seconds, sight, unseen }

  var identity: AnyHashable { AnyHashable(look) }
  var kind: String { L.kind }
  var inShort: String { look.inShort }
  var order: String { "\(L.kind) \(look.text)" }

  init(from decoder: any Decoder) throws {
    let record = try decoder.container(keyedBy: Member.self)
    look = try record.decode(L.self, forKey: .look)
    let unseen = try record.decodeIfPresent(Unseen.self, forKey: .unseen)
    let result: Result<L.Sight, Unseen> =
      if let unseen { .failure(unseen) } else { .success(try record.decode(L.Sight.self, forKey: .sight)) }
    answer = Answer(result, seconds: try record.decode(Double.self, forKey: .seconds))
  }

  func encode(to encoder: any Encoder) throws {
    var record = encoder.container(keyedBy: Member.self)
    try record.encode(L.kind, forKey: .kind)
    try record.encode(look, forKey: .look)
    try record.encode(answer.seconds, forKey: .seconds)
    switch answer.result {
    case .success(let sight): try record.encode(sight, forKey: .sight)
    case .failure(let unseen): try record.encode(unseen, forKey: .unseen)
    }
  }
}

/// A line of a recording, read as the look that its kind says.
private struct AnyLine: Decodable {
  private enum Member: CodingKey { case kind }
  private static let kinds = Dictionary(Recording.kinds.map { ($0.kind, $0) }) { first, _ in first }

  let record: any AnyRecord

  init(from decoder: any Decoder) throws {
    let kind = try decoder.container(keyedBy: Member.self).decode(String.self, forKey: .kind)
    guard let look = Self.kinds[kind] else { throw Recording.Mistake.Reason.unknownLook(kind) }
    record = try Self.record(look, decoder)
  }

  private static func record<L: Look>(_ look: L.Type, _ decoder: any Decoder) throws -> any AnyRecord {
    try Record<L>(from: decoder)
  }
}

extension Recording.Mistake.Reason: Error {}

private func decoded<Value: Decodable>(
  _ type: Value.Type, _ line: ArraySlice<UInt8>, at number: Int
) throws(Recording.Mistake) -> Value {
  do { return try JSONDecoder().decode(type, from: Data(line)) } catch {
    let reason: Recording.Mistake.Reason =
      switch error {
      case let reason as Recording.Mistake.Reason: reason
      case DecodingError.keyNotFound(let key, let place):
        .otherForm("\(place.codingPath.words)\(key.stringValue) is missing")
      case DecodingError.typeMismatch(_, let place), DecodingError.valueNotFound(_, let place):
        .otherForm("\(place.codingPath.words)is of another type")
      case DecodingError.dataCorrupted(let place) where !place.codingPath.isEmpty:
        .otherForm("\(place.codingPath.words)cannot be understood")
      default: .notJSON
      }
    throw Recording.Mistake(line: number, reason: reason)
  }
}

extension [any CodingKey] {
  /// `sight headers 3 `
  fileprivate var words: String { map { ($0.intValue.map { String($0) } ?? $0.stringValue) + " " }.joined() }
}

extension Look {
  /// What it looks at, as a recording has it.
  var text: String { String(decoding: json(self), as: UTF8.self) }

  /// `file /etc/hosts`, `http http://shop.example.org/`: what it looks at, for a sentence.
  public var inShort: String {
    let members = JSON(of: self)?.members ?? [:]
    let what = ["path", "url", "pattern", "name", "command", "address"].lazy.compactMap { members[$0]?.text }.first
    return ([Self.kind] + [what].compactMap { $0 }).joined(separator: " ")
  }
}

/// Members in the order of their names; nothing at all for what has no such form, as a number that is none.
func json(_ value: some Encodable) -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return (try? encoder.encode(value)).map { Array($0) } ?? []
}

// MARK: Secrets and names

extension Recording {
  /// This recording without secrets, as it may leave the machine. A look that had one in it is found by what is left.
  public var redacted: Recording { redaction.recording }

  /// The same, and what was left out, look by look.
  public var redaction: (recording: Recording, hidden: [Hidden]) {
    let other = Recording(now: now, course: course?.withoutSecrets, isRedacted: true)
    var hidden: [Hidden] = []
    for record in sorted {
      var counts: [HiddenKind: Int] = [:]
      let changed = record.changed { text in
        let (text, found) = text.redaction
        counts.merge(found, uniquingKeysWith: +)
        return text
      }
      if !counts.isEmpty { hidden.append(Hidden(kind: record.kind, look: record.inShort.redacted, counts: counts)) }
      if let changed { other.put(changed) }
    }
    return (other, hidden)
  }

  /// Secrets that were left out of a look and its answer.
  public struct Hidden: Sendable, Equatable {
    /// The kind of the look, and the look in short.
    public let kind: String
    public let look: String
    public let counts: [HiddenKind: Int]
  }

  /// This recording without secrets and without the names of sites, containers and people, and with other public
  /// addresses: what belonged together still does.
  public var anonymized: Recording {
    let redacted = redacted
    let records = redacted.sorted
    let aliases = Aliases(for: records, host: course?.given[.siteHost])
    let other = Recording(now: now, course: redacted.course?.changed { aliases.applied(to: $0) }, isRedacted: true)
    for record in records { if let record = record.changed({ aliases.applied(to: $0) }) { other.put(record) } }
    return other
  }
}

extension AnyRecord {
  /// With other texts; nil if what is left is not of the same form any more.
  fileprivate func changed(_ text: (String) -> String) -> (any AnyRecord)? {
    JSON(of: self).flatMap { try? JSONDecoder().decode(AnyLine.self, from: Data(json($0.changed(text)))) }?.record
  }
}

extension Encodable where Self: Decodable {
  /// Without secrets: as a redacted recording has a look. Nil if what is left is not of the same form any more.
  public var withoutSecrets: Self? { changed { $0.redacted } }

  fileprivate func changed(_ text: (String) -> String) -> Self? {
    JSON(of: self).flatMap { try? JSONDecoder().decode(Self.self, from: Data(json($0.changed(text)))) }
  }
}

extension JSON {
  /// Nil for what has no such form.
  init?(of value: some Encodable) { self.init(json(value)) }

  /// With other texts.
  fileprivate func changed(_ change: (String) -> String) -> JSON {
    switch self {
    case .null, .bool, .whole, .number: return self
    case .string(let text): return .string(change(text))
    case .array(let array): return .array(array.map { $0.changed(change) })
    case .object(var members):
      // What has no form in which anything could be found goes with it.
      if members.count == 1, case .string(let text)? = members["base64"], let bytes = Data(base64Encoded: text) {
        let plain = String(decoding: bytes, as: UTF8.self)
        let changed = change(plain)
        return changed == plain ? self : .string(changed)
      }
      let before = members
      members = members.mapValues { $0.changed(change) }
      // The name of a header says whether its value is a secret.
      if members.count == 2, case .string(let name)? = before["name"], case .string(let value)? = before["value"] {
        let whole = change("\(name): \(value)")
        if whole.hasPrefix("\(name): ") { members["value"] = .string(String(whole.dropFirst(name.count + 2))) }
      }
      // A file that was seen whole is still whole.
      if case .string(let old)? = before["bytes"], case .string(let new)? = members["bytes"],
        case .whole(let size)? = members["size"]
      {
        members["size"] = .whole(max(0, size + new.utf8.count - old.utf8.count))
      }
      return .object(members)
    }
  }

  /// Tells every text in it.
  func eachText(_ tell: (String) -> Void) {
    switch self {
    case .null, .bool, .whole, .number: break
    case .string(let text): tell(text)
    case .array(let array): for element in array { element.eachText(tell) }
    case .object(let members): for member in members.values { member.eachText(tell) }
    }
  }
}
