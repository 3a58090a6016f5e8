import Model

/// The way that a request takes, from one station to the next.
struct Way {
  struct Station {
    let name: String
    /// Where it is; empty if nobody knows.
    let place: String
    var words: String { place.isEmpty ? name : "\(name), \(place)" }
  }

  let stations: [Station]
  /// How the way from each station to the next one is: a mark, and a word.
  let links: [Span]

  var spoken: String {
    zip(stations.dropFirst(), links).reduce(stations.first?.words ?? "") { way, next in
      "\(way); \(next.1.spoken); \(next.0.words)"
    }
  }

  /// In one line with the places below it, or, where that is too wide, one station under the other.
  func rows(width: Int, isASCII: Bool) -> [Row] {
    let arrows = links.map { [Span("── ", .dim), $0, Span(" ──▶ ", .dim)] }
    let widths = stations.map { max($0.name.columns, $0.place.columns) }
    let all =
      widths.reduce(widths.count - 1, +) + arrows.joined().reduce(0) { $0 + $1.text.drawable(isASCII: isASCII).columns }
    guard all + 2 <= width else { return below(width: width, isASCII: isASCII) }
    var (names, places): ([Span], [Span]) = ([], [])
    for (index, station) in stations.enumerated() {
      let isLast = index == stations.count - 1
      let lead = isLast ? "" : " " + String(repeating: "─", count: widths[index] - station.name.columns)
      names += [Span(station.name, .bold), Span(lead, .dim)]
      places.append(Span(station.place.filled(to: isLast ? 0 : widths[index] + 1)))
      if !isLast {
        names += arrows[index]
        let columns = arrows[index].reduce(0) { $0 + $1.text.drawable(isASCII: isASCII).columns }
        places.append(Span("".filled(to: columns)))
      }
    }
    let hasPlaces = stations.contains { !$0.place.isEmpty }
    return [Row(spans: names, indent: 2)] + (hasPlaces ? [Row(spans: places, indent: 2)] : [])
  }

  private func below(width: Int, isASCII: Bool) -> [Row] {
    var rows: [Row] = []
    for (index, station) in stations.enumerated() {
      if index > 0 { rows.append(Row(spans: [Span("│ ", .dim), links[index - 1]], indent: 3)) }
      let words = [Span(station.name, .bold)] + (station.place.isEmpty ? [] : [Span(", " + station.place)])
      rows += Sheet.wrap(words, width: width - 2, next: width - 4, isASCII).enumerated().map {
        Row(spans: $1, indent: $0 == 0 ? 2 : 4)
      }
    }
    return rows
  }
}

extension Sheet {
  /// Boxes side by side, or, where two have no room, one under the other.
  static func boxes(_ places: [[String]], width: Int, _ isASCII: Bool) -> [Row] {
    let gap = 3
    let isWide = width >= 56 && places.count > 1
    let outer = isWide ? (width - 2 - gap * (places.count - 1)) / places.count : width - 2
    let boxes = places.map { box($0, width: outer, isASCII) }
    guard isWide else { return boxes.joined().map { Row(spans: $0, indent: 2) } }
    let height = boxes.map(\.count).max() ?? 0
    return (0..<height).map { row in
      let spans = boxes.enumerated().flatMap { index, box in
        let rest = index == boxes.count - 1 ? [] : [Span("".filled(to: gap))]
        return (row < box.count ? box[row] : [Span("".filled(to: outer))]) + rest
      }
      return Row(spans: spans, indent: 2)
    }
  }

  /// A frame with the first line in its upper edge.
  private static func box(_ lines: [String], width: Int, _ isASCII: Bool) -> [[Span]] {
    let room = width - 4
    let name = (lines.first ?? "").shortened(to: room - 2)
    let edge = String(repeating: "─", count: max(room - name.columns - 1, 0))
    let inside = lines.dropFirst().flatMap { line in
      wrap([Span(line)], width: room, next: room, isASCII).map { $0.map(\.text).joined() }
    }
    return [[Span("┌─ ", .dim), Span(name, .bold), Span(" \(edge)┐", .dim)]]
      + inside.map { [Span("│ ", .dim), Span($0.filled(to: room)), Span(" │", .dim)] }
      + [[Span("└" + String(repeating: "─", count: room + 2) + "┘", .dim)]]
  }
}

extension String {
  /// With blanks up to a column.
  fileprivate func filled(to columns: Int) -> String {
    self + String(repeating: " ", count: max(columns - self.columns, 0))
  }
}
