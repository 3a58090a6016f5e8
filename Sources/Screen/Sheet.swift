import Model

/// What a screen says, before any measure is known: the same for every size, and for a face that prints lines.
struct Sheet {
  enum Block {
    /// Words that wrap; `indent` and, for the rows after the first, `hanging` more columns.
    case text([Span], indent: Int, hanging: Int)
    /// Something that can be focused: a label, the words, and a note at the right end of its first row.
    case item(label: Span, words: [Span], note: String)
    /// Lines to be run or applied, which start in the first column and have nothing else in their rows.
    ///
    /// `isTyped`: at a shell, whose prompt the screen shows.
    case code(String, isTyped: Bool = false)
    /// The text field: its text, and where the cursor stands in it.
    case field(String, cursor: Int)
    case gap
  }

  var title: String
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
    say(text, .bold)
  }

  /// Its sentences, without what is run, applied or typed.
  var prose: [String] {
    [title]
      + blocks.compactMap { block in
        switch block {
        case .text(let spans, _, _): spans.map(\.text).joined()
        case .item(_, let words, _): words.map(\.text).joined()
        case .code, .field, .gap: nil
        }
      }
  }

  var items: Int { blocks.count { if case .item = $0 { true } else if case .field = $0 { true } else { false } } }
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
}

extension Sheet {
  /// The body at a width in columns.
  func rows(width: Int, isASCII: Bool) -> [Row] {
    var rows: [Row] = []
    var items = 0
    for block in blocks {
      switch block {
      case .gap:
        if rows.last.map({ !$0.spans.isEmpty }) ?? false { rows.append(Row()) }
      case .text(let spans, let indent, let hanging):
        rows += Self.wrap(spans, width: width - indent, next: width - indent - hanging, isASCII).enumerated().map {
          index, spans in
          Row(spans: spans, indent: indent + (index == 0 ? 0 : hanging))
        }
      case .item(let label, let words, let note):
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
      case .code(let code, let isTyped):
        let text = isTyped ? "$ " + code : code
        let first = rows.count
        rows += text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line in
          Self.codeRows(String(line), width: width, isInline: !text.contains("<<")).map {
            Row(spans: [Span($0, .bold)])
          }
        }
        rows[first].code = code
      }
    }
    return rows
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
