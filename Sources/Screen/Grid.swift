import Model

/// Columns and rows of a terminal.
public struct Size: Sendable, Equatable {
  public let columns: Int
  public let rows: Int
  public init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
  }

  /// What every screen can do with.
  public static let smallest = Size(columns: 40, rows: 12)
}

/// How a cell looks. Whatever a colour says is said in words as well.
public struct Style: Sendable, Hashable {
  public enum Colour: Sendable, CaseIterable { case plain, good, bad, unsure, accent }

  public var isBold = false
  public var isDim = false
  public var isReverse = false
  public var colour = Colour.plain

  public static let plain = Style()
  public static let bold = Style(isBold: true)
  public static let dim = Style(isDim: true)
  public static let head = Style(isBold: true, colour: .accent)
  public static let key = Style(colour: .accent)

  /// A line of a patch: what goes, what comes, and what stays.
  static func line(ofPatch line: some StringProtocol) -> Style {
    if line.hasPrefix("--- ") || line.hasPrefix("+++ ") || line.hasPrefix("@@ ") { return .dim }
    let colour: Style.Colour = line.hasPrefix("-") ? .bad : line.hasPrefix("+") ? .good : .plain
    return Style(isBold: true, colour: colour)
  }
}

/// What one screen shows, cell by cell.
public struct Grid: Sendable, Equatable {
  public struct Cell: Sendable, Equatable {
    /// One visible character with its combining ones; empty in the right half of a wide character.
    public let text: String
    public let style: Style
    static let blank = Cell(text: " ", style: .plain)
  }

  public struct Position: Sendable, Equatable {
    public let row: Int
    public let column: Int
  }

  public let size: Size
  public private(set) var rows: [[Cell]]
  public var cursor: Position?
  /// True if a text can be pasted.
  public var takesPaste = false
  private let isASCII: Bool

  public init(size: Size, isASCII: Bool) {
    self.size = size
    self.isASCII = isASCII
    rows = Array(repeating: Array(repeating: .blank, count: size.columns), count: size.rows)
  }

  /// Puts `text` into one row, at most up to the column `limit`; returns the column after it.
  ///
  /// The one way into the grid: what a terminal would obey, hide or reorder is shown as visible characters.
  @discardableResult
  public mutating func put(_ text: String, row: Int, column: Int, style: Style = .plain, limit: Int? = nil) -> Int {
    let end = min(limit ?? size.columns, size.columns)
    guard rows.indices.contains(row), column >= 0 else { return column }
    var column = column
    for scalar in text.drawable(isASCII: isASCII).unicodeScalars {
      let width = scalar.columns
      if width == 0 {
        // A combining character belongs to the one before it.
        guard let base = rows[row][..<column].lastIndex(where: { !$0.text.isEmpty }) else { continue }
        rows[row][base] = Cell(text: rows[row][base].text + String(scalar), style: rows[row][base].style)
        continue
      }
      guard column + width <= end else { break }
      rows[row][column] = Cell(text: String(scalar), style: style)
      if width == 2 { rows[row][column + 1] = Cell(text: "", style: style) }
      column += width
    }
    return column
  }

  /// One row as text, without the blanks at its end.
  public func text(row: Int) -> String {
    let text = rows[row].map(\.text).joined()
    return String(text.reversed().drop { $0 == " " }.reversed())
  }
}

extension String {
  /// This text as a grid shows it: nothing but visible characters, and only ASCII where the terminal has no other.
  func drawable(isASCII: Bool) -> String {
    let shown = printable
    guard isASCII, shown.utf8.contains(where: { $0 > 0x7F }) else { return shown }
    return shown.unicodeScalars.map { scalar in
      if scalar.isASCII { return String(scalar) }
      return Self.plainForms[scalar] ?? "<U+" + String(scalar.value, radix: 16, uppercase: true) + ">"
    }.joined()
  }

  private static let plainForms: [Unicode.Scalar: String] = [
    "…": "...", "–": "-", "—": "-", "‘": "'", "’": "'", "“": "\"", "”": "\"", "✓": "+", "✗": "x", "•": "-", "→": ">",
    "─": "-", "·": ".", "▸": ">", "\u{A0}": " ", "│": "|", "▶": ">", "┌": "+", "┐": "+", "└": "+", "┘": "+",
  ]
}
