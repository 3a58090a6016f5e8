extension String {
  /// The name with the fewest changed letters; nil if even that differs in more than `most` of them (a third), or is
  /// this text itself.
  public func nearest(among names: some Sequence<String>, within most: Int? = nil) -> String? {
    let limit = most ?? max(1, utf8.count / 3)
    guard utf8.count <= 100 else { return nil }
    let near = names.map { (changes(self, $0, atMost: limit), $0) }.min { $0 < $1 }
    return near.flatMap { (1...limit).contains($0.0) ? $0.1 : nil }
  }
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other; at most
/// `limit` + 1 (optimal string alignment distance).
private func changes(_ left: String, _ right: String, atMost limit: Int) -> Int {
  let (left, right) = (Array(left.utf8), Array(right.utf8))
  guard abs(left.count - right.count) <= limit else { return limit + 1 }
  var rows = [Array(0...right.count)]
  for i in left.indices {
    var row = [i + 1]
    for j in right.indices {
      var best = min(rows[i][j] + (left[i] == right[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
      if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { best = min(best, rows[i - 1][j - 1] + 1) }
      row.append(best)
    }
    rows.append(row)
  }
  return rows[left.count][right.count]
}
