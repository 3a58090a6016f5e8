internal import FoundationEssentials

/// Any JSON value, for documents whose shape depends on what they say.
public enum JSON: Sendable, Equatable, Codable {
  case null
  case bool(Bool)
  case whole(Int)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([String: JSON])

  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let text = try? value.decode(String.self) {
      self = .string(text)
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let whole = try? value.decode(Int.self) {
      self = .whole(whole)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let array = try? value.decode([JSON].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: JSON].self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .null: try value.encodeNil()
    case .bool(let bool): try value.encode(bool)
    case .whole(let whole): try value.encode(whole)
    case .number(let number): try value.encode(number)
    case .string(let text): try value.encode(text)
    case .array(let array): try value.encode(array)
    case .object(let object): try value.encode(object)
    }
  }

  /// Nil if the bytes are no JSON.
  public init?(_ bytes: some Collection<UInt8>) {
    guard let value = try? JSONDecoder().decode(JSON.self, from: Data(bytes)) else { return nil }
    self = value
  }

  /// As written by whoever keeps it: members in the order of their names. Empty for a number that is none.
  public var written: [UInt8] { json(self) }

  /// A member of an object; nil where there is none, or it is null.
  public subscript(name: String) -> JSON? {
    guard case .object(let members) = self, let member = members[name], member != .null else { return nil }
    return member
  }

  public var text: String? { if case .string(let text) = self { text } else { nil } }
  public var number: Double? {
    switch self {
    case .number(let number): number
    case .whole(let whole): Double(whole)
    default: nil
    }
  }
  public var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
  /// Empty for what is no array.
  public var elements: [JSON] { if case .array(let elements) = self { elements } else { [] } }
  /// Empty for what is no object.
  public var members: [String: JSON] { if case .object(let members) = self { members } else { [:] } }
  public var texts: [String] { elements.compactMap(\.text) }
}
