import Synchronization

/// Pages by name, each read when it is first asked for: a diagnosis shows two or three of sixty.
public final class Pages: Sendable {
  /// In their order.
  public let keys: [String]
  private let read: @Sendable (String) -> Page?
  private let known = Mutex<[String: Page]>([:])

  public init(_ names: some Sequence<String>, read: @escaping @Sendable (String) -> Page?) {
    keys = names.sorted()
    self.read = read
  }

  public convenience init(_ pages: [String: Page]) { self.init(pages.keys) { pages[$0] } }

  public subscript(name: String) -> Page? {
    if let page = known.withLock({ $0[name] }) { return page }
    guard keys.contains(name), let page = read(name) else { return nil }
    return known.withLock { known in
      known[name] = page
      return page
    }
  }

  public var count: Int { keys.count }
  public var isEmpty: Bool { keys.isEmpty }
  /// All of them, in the order of their names.
  public var values: [Page] { keys.compactMap { self[$0] } }
}

extension Pages: Equatable {
  public static func == (one: Pages, other: Pages) -> Bool { one.keys == other.keys && one.values == other.values }
}

extension Pages: ExpressibleByDictionaryLiteral {
  public convenience init(dictionaryLiteral pages: (String, Page)...) {
    self.init(Dictionary(pages) { first, _ in first })
  }
}
