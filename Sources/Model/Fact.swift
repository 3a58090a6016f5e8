/// The name of one thing known about this case, in dotted lower case: `upstream.port`.
public struct FactName: Hashable, Comparable, Sendable, Codable, ExpressibleByStringLiteral {
  public let text: String

  public init(_ text: String) { self.text = text }
  public init(stringLiteral text: String) { self.text = text }
  public init(from decoder: any Decoder) throws { text = try decoder.singleValueContainer().decode(String.self) }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  public static func < (left: FactName, right: FactName) -> Bool { left.text < right.text }
}

/// Facts are written with their names as members.
extension FactName: CodingKeyRepresentable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  public var codingKey: any CodingKey { Key(stringValue: text) }
  public init?(codingKey: some CodingKey) { self.init(codingKey.stringValue) }
}

/// What is known so far, as text: the form in which a page shows it and a person could have typed it.
///
/// A fact with several values holds them with `, ` between; an unknown fact is absent, never empty.
public struct Facts: Sendable, Equatable, Codable {
  public private(set) var values: [FactName: String]

  public init(_ values: [FactName: String] = [:]) { self.values = values.filter { !$0.value.isEmpty } }

  public var names: Set<FactName> { Set(values.keys) }

  /// An empty text is taken as "not known".
  public subscript(name: FactName) -> String? {
    get { values[name] }
    set { values[name] = newValue == "" ? nil : newValue }
  }

  /// A part of a known text, which may be empty and is known all the same.
  public mutating func set(part: String, _ name: FactName) { values[name] = part }

  public func port(_ name: FactName) -> UInt16? { values[name].flatMap { UInt16($0) } }
  /// Only what can be reckoned with: neither `nan` nor `inf`.
  public func seconds(_ name: FactName) -> Double? {
    values[name].flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil }
  }
  public func number(_ name: FactName) -> Int? { values[name].flatMap { Int($0) } }
  public func list(_ name: FactName) -> [String] {
    values[name].map { text in
      text.split(separator: ",").map { item in String(item.drop { $0 == " " }) }
    } ?? []
  }

  public mutating func merge(_ other: Facts) { values.merge(other.values) { _, new in new } }

  public func merging(_ other: Facts) -> Facts {
    var all = self
    all.merge(other)
    return all
  }
}

extension Facts: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (FactName, String)...) {
    self.init(Dictionary(elements) { _, new in new })
  }
}
