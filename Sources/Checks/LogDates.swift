import FoundationEssentials
import LogLines
import Model
import Pattern
import World

extension World {
  var aWeekAgo: Double { now - 7 * 86400 }

  /// Those lines of the last seven days that show something, by their writer's signs.
  func week(of lines: [String], by writer: LogWriter, showing sign: String) -> [(line: String, reading: LogReading)] {
    lines.compactMap { line in
      guard isOfWeek(line), let reading = writer.reading(of: line), reading.sign.shows == sign else { return nil }
      return (line, reading)
    }
  }

  /// False for a line that begins with an earlier day, by the dates that logs have: `2026/11/30`, `2026-11-30`,
  /// `Nov 30`, `30/Nov/2026`. A file's last lines may be old.
  func isOfWeek(_ line: String) -> Bool {
    let head = String(line.prefix(48))
    guard datePattern?.matches(head) == true else { return true }
    // A day more on either side: the log's clock is that of another part of the world.
    return (-1...8).contains { ago in
      let (year, month, day) = Date(timeIntervalSince1970: now - Double(ago) * 86400).inLogs
      return [
        "\(year)/\(number(month))/\(number(day))", "\(year)-\(number(month))-\(number(day))",
        "\(months[month - 1]) \(number(day))", "\(months[month - 1]) \(day < 10 ? " " : "")\(day)",
        "\(number(day))/\(months[month - 1])/\(year)",
      ].contains { head.contains($0) }
    }
  }
}

private let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
private let datePattern = try? Pattern(
  #"\d{4}[/-]\d\d[/-]\d\d|\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d|\d\d/[A-Z][a-z][a-z]/\d{4}"#)

private func number(_ part: Int) -> String { part < 10 ? "0\(part)" : "\(part)" }

extension Date {
  /// Year, month from 1, and day, in UTC.
  fileprivate var inLogs: (Int, Int, Int) {
    let parts = formatted(.iso8601).prefix(10).split(separator: "-").compactMap { Int($0) }
    return parts.count == 3 ? (parts[0], parts[1], parts[2]) : (1970, 1, 1)
  }
}
