import Flow
import Model

extension State {
  /// What is shown now.
  public func view() -> Grid {
    var grid = Grid(size: size, isASCII: isASCII)
    // Whatever is pasted is never taken for keys.
    grid.takesPaste = true
    guard size.columns >= Size.smallest.columns, size.rows >= Size.smallest.rows else {
      let facts: Facts = [
        "size.columns": String(Size.smallest.columns), "size.rows": String(Size.smallest.rows),
      ]
      for (row, spans) in Sheet.wrap(
        [Span(word("small", facts))], width: size.columns, next: size.columns, isASCII
      ).enumerated() {
        grid.put(spans.map(\.text).joined(), row: row, column: 0)
      }
      grid.cursor = .init(row: 0, column: 0)
      return grid
    }
    let sheet = sheet
    let rows = sheet.rows(width: width, isASCII: isASCII)
    let top = min(spot.top, max(rows.count - page, 0))
    drawTitle(of: sheet, in: &grid)
    grid.cursor = .init(row: bodyTop, column: 0)
    for (offset, row) in rows.dropFirst(top).prefix(page).enumerated() {
      draw(row, at: bodyTop + offset, in: &grid)
      if spot.found == top + offset { mark(rows, at: top + offset, in: &grid) }
    }
    drawAside(in: &grid)
    drawHint(rows: rows.count, top: top, in: &grid)
    drawKeys(in: &grid)
    return grid
  }

  // MARK: Measures

  /// Columns of text: a line longer than this is hard to read.
  private static let widest = 100
  /// Columns that a second pane wants to have beside the first.
  private static let both = 120
  /// True if there is a second pane. Beside lines to be run there is none: they are selected row by row.
  private var isSplit: Bool { size.columns >= Self.both && canHaveAside }
  var width: Int { min(isSplit ? size.columns / 2 : size.columns, Self.widest) }
  private var isRoomy: Bool { size.rows >= 16 }
  private var bodyTop: Int { isRoomy ? 2 : 1 }
  /// Rows of the body in sight.
  var page: Int { max(size.rows - bodyTop - 2, 1) }
  var body: [Row] { sheet.rows(width: width, isASCII: isASCII) }

  // MARK: Moving

  /// The item by one, or, where there is none in that direction, the text by a row.
  mutating func move(by step: Int) {
    let rows = body
    let count = items
    let target = spot.focus + step
    let isInSight = count > 0 && rows.indices.contains { rows[$0].item == spot.focus && isShown($0, of: rows.count) }
    if count > 0, (0..<count).contains(target), isInSight || self.isInSight(target, rows) {
      spot.focus = target
      showFocus()
    } else {
      spot.top = min(max(top(of: rows.count) + step, 0), max(rows.count - page, 0))
    }
  }

  mutating func page(by step: Int) {
    let rows = body
    spot.top = min(max(top(of: rows.count) + step * page, 0), max(rows.count - page, 0))
    let shown = rows.indices.filter { isShown($0, of: rows.count) }.compactMap {
      rows[$0].cursor == nil ? nil : rows[$0].item
    }
    let isAtEnd = step > 0 ? spot.top == max(rows.count - page, 0) : spot.top == 0
    if let item = (step > 0) == isAtEnd ? shown.last : shown.first { spot.focus = item }
  }

  mutating func moveToEdge(isLast: Bool) {
    spot.top = isLast ? max(body.count - page, 0) : 0
    if items > 0 { spot.focus = isLast ? items - 1 : 0 }
  }

  /// Scrolls as little as needed to have the focused item in sight.
  mutating func showFocus() {
    guard items > 0 else { return }
    spot.focus = min(spot.focus, items - 1)
    let rows = body
    guard let first = rows.firstIndex(where: { $0.item == spot.focus }),
      let last = rows.lastIndex(where: { $0.item == spot.focus })
    else { return }
    if first < spot.top { spot.top = first }
    if last >= spot.top + page { spot.top = min(last - page + 1, first) }
  }

  private func top(of count: Int) -> Int { min(spot.top, max(count - page, 0)) }

  private func isShown(_ row: Int, of count: Int) -> Bool {
    (top(of: count)..<top(of: count) + page).contains(row)
  }

  private func isInSight(_ item: Int, _ rows: [Row]) -> Bool {
    rows.indices.contains { rows[$0].item == item && isShown($0, of: rows.count) }
  }

  // MARK: Drawing

  private func drawTitle(of sheet: Sheet, in grid: inout Grid) {
    let bar = Style(isBold: true, isReverse: true, colour: .accent)
    grid.put(String(repeating: " ", count: size.columns), row: 0, column: 0, style: bar)
    let margin = Sheet.margin(width)
    // That what is shown is of another day is never what has no room.
    let origin = origin.drawable(isASCII: isASCII)
    let least = origin.isEmpty ? 0 : origin.columns + sheet.title.columns / 2
    let isNoted = !sheet.note.isEmpty && (least == 0 || least + sheet.note.columns + 3 <= width)
    let note = isNoted ? sheet.note.columns + 1 + max(margin, 1) : 0
    let room = size.columns - 1 - note
    let start = grid.put(origin, row: 0, column: margin, style: bar, limit: room)
    var title = sheet.title.drawable(isASCII: isASCII)
    if title.columns > room - start { title = title.shortened(to: max(room - start, 1)).drawable(isASCII: isASCII) }
    grid.put(title, row: 0, column: start, style: bar, limit: room)
    if note > 0 { grid.put(sheet.note, row: 0, column: size.columns - note + 1, style: bar) }
  }

  /// What belongs to the focused item, or comes next, beside the screen.
  private func drawAside(in grid: inout Grid) {
    guard isSplit, let aside else { return }
    let left = width + 3
    let rows = aside.rows(width: min(size.columns - left, Self.widest), isASCII: isASCII)
    for row in bodyTop..<bodyTop + page { grid.put("│", row: row, column: left - 2, style: .dim) }
    // The line between the two is margin enough.
    let margin = Sheet.margin(size.columns - left)
    grid.put(aside.title, row: bodyTop, column: left, style: .head)
    for (offset, row) in rows.prefix(page - 2).enumerated() {
      var column = left + (row.isCode ? 0 : row.indent - margin)
      for span in row.spans {
        column = grid.put(span.text, row: bodyTop + 2 + offset, column: column, style: span.style)
      }
    }
  }

  private func draw(_ row: Row, at line: Int, in grid: inout Grid) {
    let isFocused = row.item == spot.focus && row.item != nil
    let margin = Sheet.margin(width)
    let isChosen = isFocused && !isTyping
    // The focused item is one bar from edge to edge, in one style.
    let chosen = Style(isBold: true, isReverse: true)
    if isChosen {
      let bar = String(repeating: " ", count: width - margin)
      grid.put(bar, row: line, column: margin, style: chosen)
    }
    if row.cursor != nil, isFocused {
      grid.put(">", row: line, column: margin, style: isChosen ? chosen : .bold)
    }
    var column = row.indent
    for span in row.spans {
      column = grid.put(
        span.text, row: line, column: column, style: isChosen ? chosen : span.style, limit: width)
    }
    if !row.note.isEmpty {
      grid.put(
        row.note, row: line, column: width - margin - row.note.columns, style: isChosen ? chosen : .dim)
    }
    if isFocused, let cursor = row.cursor {
      grid.cursor = .init(row: line, column: min(row.indent + cursor, size.columns - 1))
    }
  }

  /// Shows what was looked for in the row that has it.
  private func mark(_ rows: [Row], at index: Int, in grid: inout Grid) {
    let text = search?.field.text ?? sought
    guard let place = Self.place(of: text, in: rows, at: index) else { return }
    let shown = Array(rows[index].spans.map(\.text).joined())
    guard place.upperBound <= shown.count else { return }
    let column = rows[index].indent + String(shown[..<place.lowerBound]).columns
    let isChosen = rows[index].item == spot.focus && rows[index].item != nil
    let style = Style(isBold: true, isReverse: !isChosen, colour: .accent)
    grid.put(
      String(shown[place]), row: bodyTop + index - top(of: rows.count), column: column, style: style, limit: width)
  }

  /// What is looked for, and whether there is any, in the line above the keys.
  private func drawSearch(_ search: Search, in grid: inout Grid) {
    let line = size.rows - 2
    let isNowhere = !search.field.text.isEmpty && spot.found == nil
    let note = isNowhere ? word("search.nowhere") : ""
    let room = max(size.columns - note.columns - 3, 8)
    let text = search.field.text.drawable(isASCII: isASCII)
    let shown = text.columns > room ? String(text.suffix(room)) : text
    let end = grid.put("/" + shown, row: line, column: 0, style: .bold)
    grid.put(note, row: line, column: size.columns - note.columns, style: Style(colour: .unsure))
    let behind = String(String.UnicodeScalarView(search.field.scalars[search.field.cursor...]))
    grid.cursor = .init(row: line, column: max(end - behind.drawable(isASCII: isASCII).columns, 1))
  }

  private func drawHint(rows: Int, top: Int, in grid: inout Grid) {
    if let search { return drawSearch(search, in: &grid) }
    let line = size.rows - 2
    if rows > page, hint.isEmpty {
      let place = word(
        "rows",
        [
          "rows.first": String(top + 1), "rows.last": String(min(top + page, rows)), "rows.count": String(rows),
        ])
      grid.put(place, row: line, column: width - place.columns, style: .dim)
    }
    guard !hint.isEmpty else { return }
    // A hint that is longer than its line covers the end of the text until the next key.
    let rows = Sheet.wrap([Span(hint)], width: width - 1, next: width - 1, isASCII)
    for (offset, spans) in rows.enumerated() {
      let row = line - rows.count + 1 + offset
      if row < line { grid.put(String(repeating: " ", count: size.columns), row: row, column: 0) }
      grid.put(spans.map(\.text).joined(), row: row, column: 0, style: .bold)
    }
  }

  private func drawKeys(in grid: inout Grid) {
    let line = size.rows - 1
    let valid = Binding.all.filter { $0.isInBar && $0.isValid(self) }
    // Help and the way out stay on the narrowest screen.
    let kept = valid.filter { [.help, .quit, .interrupt].contains($0.action) }
    func columns(_ binding: Binding) -> Int { binding.shown.columns + 1 + word("key.\(binding.name)").columns + 2 }
    var room = size.columns + 2 - kept.reduce(0) { $0 + columns($1) }
    var shown: [Binding] = []
    var seen: Set<String> = []
    for binding in valid where seen.insert(binding.shown).inserted {
      if kept.contains(where: { $0.name == binding.name }) {
        shown.append(binding)
      } else if columns(binding) <= room {
        shown.append(binding)
        room -= columns(binding)
      }
    }
    var column = 0
    for binding in shown {
      column = grid.put(binding.shown, row: line, column: column, style: .key)
      column = grid.put(" " + word("key.\(binding.name)"), row: line, column: column) + 2
    }
  }
}

extension State {
  /// True if the screen in sight has something to show beside it.
  private var canHaveAside: Bool {
    switch scene {
    case .path, .verdict: true
    default: false
    }
  }

  /// What is shown beside the screen in sight: the focused line of the path as a whole, the first step of a cause.
  private var aside: Sheet? {
    switch scene {
    case .path:
      guard pathItems.indices.contains(spot.focus), case .check(let check) = pathItems[spot.focus] else { return nil }
      return evidenceSheet(of: check)
    case .verdict(let cause?):
      guard hasFix, diagnosis?.causes.indices.contains(cause) == true else { return nil }
      var below = self
      below.spots.append(Spot(scene: .fix(cause: cause, step: 0)))
      var sheet = below.sheet
      (sheet.title, sheet.note) = (sheet.note, "")
      return sheet
    default: return nil
    }
  }

  /// The screen in sight as words.
  var sheet: Sheet {
    switch scene {
    case .start: startSheet
    case .path: pathSheet
    case .evidence(let check): evidenceSheet(of: check)
    case .correction(let check): correctionSheet(of: check)
    case .question(let node, let first): questionSheet(of: node, from: first)
    case .verdict(let cause): verdictSheet(of: cause)
    case .fix: fixSheet
    case .page(let name): pageSheet(of: name)
    case .logLine: logLineSheet
    case .report: reportSheet
    case .help: helpSheet
    case .words: wordsSheet
    case .leaving: leavingSheet
    case .left: leftSheet
    case .exercises: exercisesSheet
    case .goal: goalSheet
    case .hints: hintsSheet
    case .guess: guessSheet
    }
  }

  /// A mark as a symbol and a word, padded to the same width.
  func label(_ mark: Diagnosis.Evidence.Mark) -> Span {
    let (symbol, colour): (String, Style.Colour) =
      switch mark {
      case .ok: ("✓", .good)
      case .bad: ("✗", .bad)
      case .note: ("•", .plain)
      case .unknown: ("?", .unsure)
      }
    let name = word("mark.\(mark.rawValue)")
    return Span(padded("\(symbol) \(name)"), Style(isBold: mark == .bad, colour: colour), spoken: "\(name):")
  }

  /// As wide as the widest mark.
  func padded(_ text: String) -> String {
    let width = Diagnosis.Evidence.Mark.allCases.map { word("mark.\($0.rawValue)").columns }.max() ?? 0
    return text + String(repeating: " ", count: max(width + 2 - text.columns, 0))
  }
}
