import Model

/// A text that is being looked for in the screen in sight.
struct Search: Sendable, Equatable {
  var field = Field()
  /// Where the screen stood before.
  let from: State.Spot
}

extension State {
  mutating func beginSearch() { search = Search(from: spot) }

  /// Shows the first place of what has been typed so far, from the row on at which the search began.
  mutating func searchOn() {
    guard let search else { return }
    spot = search.from
    show(search.field.text, from: spot.found ?? spot.top)
  }

  /// Stays at the place that was found; without a text goes on to the next place of the last one.
  mutating func endSearch() {
    guard let search else { return }
    self.search = nil
    if !search.field.text.isEmpty {
      sought = search.field.text
    } else if !sought.isEmpty {
      spot = search.from
      show(sought, from: spot.found.map { $0 + 1 } ?? spot.top)
    }
    if spot.found == nil, !sought.isEmpty { hint = word("search.none", ["search.text": sought]) }
  }

  mutating func leaveSearch() {
    if let search { spot = search.from }
    search = nil
  }

  /// Brings the next row that has the text into sight, beginning anew after the last.
  private mutating func show(_ text: String, from start: Int) {
    let rows = body
    spot.found = nil
    guard !text.isEmpty, !rows.isEmpty else { return }
    let order = rows.indices.map { (start + $0) % rows.count }
    guard let row = order.first(where: { Self.place(of: text, in: rows, at: $0) != nil }) else { return }
    spot.found = row
    if let item = rows[row].item { spot.focus = item }
    if row < spot.top || row >= spot.top + page {
      spot.top = min(max(row - page / 3, 0), max(rows.count - page, 0))
    }
  }

  /// Where the text begins in a row, in characters, and how many of it stand there: it may go on in the row below.
  static func place(of text: String, in rows: [Row], at index: Int) -> Range<Int>? {
    func characters(_ row: Row) -> [String] {
      (row.spans.map(\.text).joined() + " " + row.note).trimmedRight.map { $0.lowercased() }
    }
    let own = characters(rows[index])
    let below = rows.indices.contains(index + 1) ? [" "] + characters(rows[index + 1]) : []
    let all = own + below
    let wanted = text.map { $0.lowercased() }
    guard let start = own.indices.first(where: { all[$0...].starts(with: wanted) }) else { return nil }
    return start..<min(start + wanted.count, own.count)
  }
}

extension String {
  fileprivate var trimmedRight: Substring {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return text
  }
}
