import Model

/// What a screen says, before any measure is known: the same for every size, and for a face that prints lines.
struct Sheet {
  enum Block {
    /// Words that wrap; `indent` and, for the rows after the first, `hanging` more columns.
    case text([Span], indent: Int, hanging: Int)
    /// Something that can be focused: a label, the words, and a note at the right end of its first row.
    ///
    /// `cells`: the same as words and note in columns below the sheet's `heads`, where all items have room for that.
    case item(label: Span, words: [Span], note: String, cells: [Span] = [])
    /// Lines to be run or applied, which start in the first column and have nothing else in their rows.
    case code(String, Code = .lines)
    /// The way from one station to the next.
    case way(Way)
    /// Places that do not meet, side by side where there is room: the name of each, and what is to be said of it.
    case places([[String]])
    /// The text field: its text, and where the cursor stands in it.
    case field(String, cursor: Int)
    case gap
  }

  enum Code {
    case lines
    /// Typed at a shell, whose prompt the screen shows.
    case typed
    /// A command that applies a patch.
    case patch
  }

  var title: String
  /// What the cells of items are called.
  var heads: [String] = []
  /// At the right end of the title's row.
  var note = ""
  var blocks: [Block] = []
  /// True if it asks for one of its items: where one line comes after the other, these are the last ones.
  var isChoice = false

  mutating func say(_ text: String, _ style: Style = .plain, indent: Int = 0, hanging: Int = 0) {
    guard !text.isEmpty else { return }
    // A form's lines stay lines.
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      blocks.append(.text([Span(String(line), style)], indent: indent, hanging: hanging))
    }
  }

  /// A heading after a gap, where something stands under it.
  mutating func head(_ text: String) {
    blocks.append(.gap)
    say(text, .head)
  }

  /// Its sentences, without what is run, applied or typed.
  var prose: [String] {
    [title]
      + blocks.compactMap { block in
        switch block {
        case .text(let spans, _, _): spans.map(\.text).joined()
        case .item(_, let words, _, _): words.map(\.text).joined()
        case .places(let places): places.joined().joined(separator: " ")
        case .code, .field, .gap, .way: nil
        }
      }
  }

  var items: Int { blocks.count(where: \.isItem) }
}

struct Span {
  let text: String
  let style: Style
  /// What a line says in the place of the text: no drawing, nothing that depends on columns or on keys of the screen.
  let spoken: String
  init(_ text: String, _ style: Style = .plain, spoken: String? = nil) {
    self.text = text
    self.style = style
    self.spoken = spoken ?? text
  }
}

/// One row of the body, at a known width.
struct Row {
  var spans: [Span] = []
  var indent = 0
  var note = ""
  /// The item that the row belongs to, counted from 0.
  var item: Int?
  /// Where the cursor stands if the item is focused; set in the item's first row only.
  var cursor: Int?
  /// The whole of the code that begins in this row.
  var code: String?
  /// True if it is lines to be run, which are selected from the first column on.
  var isCode = false
}

extension Sheet {
  /// Columns that stay free beside what is said, and where it is said.
  static func margin(_ width: Int) -> Int { width < 60 ? 0 : 2 }

  /// The body at a width in columns.
  func rows(width: Int, isASCII: Bool) -> [Row] {
    let margin = Self.margin(width)
    let inner = inner(width: width - 2 * margin, isASCII: isASCII, codeWidth: width)
    return inner.map { row in
      var row = row
      if !row.isCode { row.indent += margin }
      return row
    }
  }

  private func inner(width: Int, isASCII: Bool, codeWidth: Int) -> [Row] {
    var rows: [Row] = []
    var items = 0
    let columns = columns(width: width, isASCII)
    var isHeaded = false
    for block in blocks {
      switch block {
      case .gap:
        if rows.last.map({ !$0.spans.isEmpty }) ?? false { rows.append(Row()) }
      case .text(let spans, let indent, let hanging):
        rows += Self.wrap(spans, width: width - indent, next: width - indent - hanging, isASCII).enumerated().map {
          index, spans in
          Row(spans: spans, indent: indent + (index == 0 ? 0 : hanging))
        }
      case .item(let label, _, _, let cells) where !columns.isEmpty:
        if !isHeaded {
          rows.append(Row(spans: Self.aligned(heads.map { Span($0, .dim) }, columns), indent: 2))
        }
        isHeaded = true
        rows.append(Row(spans: Self.aligned([label] + cells, columns), indent: 2, item: items, cursor: 0))
        items += 1
      case .item(let label, let words, let note, _):
        let start = 2 + label.text.drawable(isASCII: isASCII).columns + (label.text.isEmpty ? 0 : 1)
        // On a narrow screen the rows after the first have no room to give away.
        let next = width < 60 ? 4 : start
        let reserved = note.isEmpty ? 0 : note.columns + 1
        let wrapped = Self.wrap(words, width: width - start - reserved, next: width - next - reserved, isASCII)
        rows += wrapped.enumerated().map { index, spans in
          index == 0
            ? Row(
              spans: (label.text.isEmpty ? [] : [label, Span(" ")]) + spans, indent: 2, note: note, item: items,
              cursor: 0)
            : Row(spans: spans, indent: next, item: items)
        }
        items += 1
      case .field(let text, let cursor):
        rows.append(Self.field(text, cursor: cursor, width: width, item: items, isASCII))
        items += 1
      case .code(let code, let kind):
        let text = kind == .typed ? "$ " + code : code
        let first = rows.count
        rows += text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line in
          Self.codeRows(String(line), width: codeWidth, isInline: !text.contains("<<")).map {
            Row(spans: [Span($0, kind == .patch ? .line(ofPatch: line) : .bold)], isCode: true)
          }
        }
        rows[first].code = code
      case .way(let way): rows += way.rows(width: width, isASCII: isASCII)
      case .places(let places): rows += Self.boxes(places, width: width, isASCII)
      }
    }
    return rows
  }

  /// How wide each column of the items is, the label's first; empty if they have no cells, or no room for them.
  private func columns(width: Int, _ isASCII: Bool) -> [Int] {
    let lines: [[String]] = blocks.compactMap { block in
      guard case .item(let label, _, _, let cells) = block, !cells.isEmpty else { return nil }
      return ([label] + cells).map(\.text)
    }
    guard !lines.isEmpty else { return [] }
    let columns = heads.indices.map { column in
      ([heads] + lines).map { $0[column].drawable(isASCII: isASCII).columns }.max() ?? 0
    }
    return columns.reduce(2 + 2 * (columns.count - 1), +) <= width ? columns : []
  }

  /// Cells with two columns between them.
  private static func aligned(_ cells: [Span], _ columns: [Int]) -> [Span] {
    zip(cells, columns).enumerated().map { index, pair in
      let (cell, width) = pair
      let isLast = index == columns.count - 1
      let blanks = isLast ? 0 : width + 2 - cell.text.columns
      return Span(cell.text + String(repeating: " ", count: max(blanks, 0)), cell.style)
    }
  }

  /// `> text`, the part around the cursor where it is too long; underneath stands nothing, so that it can be selected.
  private static func field(_ text: String, cursor: Int, width: Int, item: Int, _ isASCII: Bool) -> Row {
    let room = max(width - 4, 8)
    let shown = Array(text.drawable(isASCII: isASCII).unicodeScalars)
    let before = String(text.unicodeScalars.prefix(cursor)).drawable(isASCII: isASCII).unicodeScalars.count
    let from = max(0, before - room + 1)
    var part = String.UnicodeScalarView()
    part.append(contentsOf: shown[from...].prefix(room))
    var head = String.UnicodeScalarView()
    head.append(contentsOf: shown[from..<before])
    return Row(
      spans: [Span(String(part))], indent: 2, item: item, cursor: String(head).columns)
  }

  /// Rows of at most `width` columns, `next` from the second on, broken at blanks, or within a word that is longer.
  static func wrap(_ spans: [Span], width: Int, next: Int, _ isASCII: Bool) -> [[Span]] {
    var rows: [[Span]] = [[]]
    var used = 0
    func room() -> Int { max(rows.count == 1 ? width : next, 8) }
    func add(_ text: String, _ style: Style) {
      rows[rows.count - 1].append(Span(text, style))
      used += text.columns
    }
    for span in spans {
      let text = span.text.drawable(isASCII: isASCII)
      for (index, word) in text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
        var word = String(word)
        let blank = index > 0 && used > 0 ? " " : ""
        if used + blank.columns + word.columns <= room() {
          add(blank + word, span.style)
          continue
        }
        // A path or an address a little longer than the rest of the row moves on; a very long one is cut.
        if used > 0, word.columns <= next || used > room() / 2 {
          rows.append([])
          used = 0
        } else if !blank.isEmpty, used < room() {
          add(blank, span.style)
        }
        while word.columns > room() - used {
          let head = word.prefix(columns: room() - used)
          add(head, span.style)
          word = String(word.unicodeScalars.dropFirst(head.unicodeScalars.count))
          rows.append([])
          used = 0
        }
        add(word, span.style)
      }
    }
    return rows
  }

  /// A line of code in rows that give the same when they are selected together: broken at a blank outside quotes,
  /// with a backslash. What cannot be broken so is cut; then the key that shows it alone is the way.
  static func codeRows(_ line: String, width: Int, isInline: Bool) -> [String] {
    var rows: [String] = []
    var rest = line.split(separator: "\t", omittingEmptySubsequences: false).joined(separator: "    ").printable
    while rest.columns > width {
      if isInline, let blank = rest.lastBreak(before: width - 2) {
        rows.append(String(rest[..<blank]) + " \\")
        rest = "  " + String(rest.unicodeScalars[blank...].dropFirst())
      } else {
        let head = rest.prefix(columns: width)
        rows.append(head)
        rest = String(rest.unicodeScalars.dropFirst(head.unicodeScalars.count))
      }
    }
    return rows + [rest]
  }
}

extension Sheet.Block {
  fileprivate var isItem: Bool {
    switch self {
    case .item, .field: true
    default: false
    }
  }
}

extension String {
  /// As many scalars from the start as fit into `limit` columns; at least one.
  fileprivate func prefix(columns limit: Int) -> String {
    var used = 0
    var head = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      used += scalar.columns
      if used > limit, !head.isEmpty { break }
      head.append(scalar)
    }
    return String(head)
  }

  /// The last blank within `limit` columns at which a shell's line can be continued.
  fileprivate func lastBreak(before limit: Int) -> Index? {
    var quote: Unicode.Scalar?
    var isEscaped = false
    var used = 0
    var best: Index?
    var hasWord = false
    var previous: Unicode.Scalar = " "
    for index in unicodeScalars.indices {
      let scalar = unicodeScalars[index]
      used += scalar.columns
      if used > limit { break }
      if isEscaped {
        isEscaped = false
      } else if let open = quote {
        if scalar == open { quote = nil } else if scalar == "\\", open == "\"" { isEscaped = true }
      } else {
        switch scalar {
        case "'", "\"": quote = scalar
        case "\\": isEscaped = true
        case " " where hasWord: best = index
        case "#" where previous == " ": return nil
        default: break
        }
      }
      if scalar != " " { hasWord = true }
      previous = scalar
    }
    return best
  }
}
