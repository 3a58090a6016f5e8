public import Model

/// A route that a proxy here has, and how its site answers.
public struct RouteLine: Sendable, Equatable {
  public let url: String
  /// What serves it: `nginx, container web`.
  public let proxy: String
  public let upstream: String
  /// The HTTP status as text, or why there is none; nil while it is asked.
  public let status: String?
  public let mark: Diagnosis.Evidence.Mark?
  public init(url: String, proxy: String, upstream: String, status: String?, mark: Diagnosis.Evidence.Mark?) {
    self.url = url
    self.proxy = proxy
    self.upstream = upstream
    self.status = status
    self.mark = mark
  }
}

extension State {
  var startSheet: Sheet {
    var sheet = Sheet(title: word("start.title"))
    sheet.say(word("start.promise"))
    sheet.blocks.append(.gap)
    sheet.say(word("start.address"), .bold)
    sheet.blocks.append(.field(field.text, cursor: field.cursor))
    sheet.blocks.append(.gap)
    if routes.isEmpty {
      sheet.say(word(isListing ? "start.listing" : "start.no-routes"), .dim)
    } else {
      sheet.say(word(isListing ? "start.routes-so-far" : "start.routes"), .head)
    }
    sheet.heads = [""] + ["status", "site", "proxy", "upstream"].map { word("start.column.\($0)") }
    for (index, route) in routes.enumerated() {
      let facts: Facts = ["route.proxy": route.proxy, "route.upstream": route.upstream]
      let mark = route.mark.map { label($0) } ?? Span(padded("…"), spoken: "")
      let leads = Span(" " + word("start.route", facts), spoken: " " + word("lines.route", facts))
      sheet.blocks.append(
        .item(
          label: Span("\(index + 1) \(mark.text)", mark.style, spoken: mark.spoken),
          words: [Span(route.url, .bold), leads], note: route.status ?? "",
          cells: [
            Span(route.status ?? "…"), Span(route.url, .bold), Span(route.proxy), Span(route.upstream, .dim),
          ]))
    }
    if !notices.isEmpty {
      sheet.head(word("start.notices"))
      for notice in notices {
        let style = Style(colour: .unsure)
        sheet.blocks.append(.text([Span("? ", style, spoken: ""), Span(notice, style)], indent: 0, hanging: 2))
      }
    }
    return sheet
  }
}

extension State {
  /// What does not work comes first. Whoever has gone to the list, or has heard it, keeps it as it is.
  mutating func orderRoutes() {
    guard scene == .start, readsLines ? isListing : isTyping else { return }
    let order: [Diagnosis.Evidence.Mark?] = [.bad, .unknown, .note, nil, .ok]
    routes = order.flatMap { mark in routes.filter { $0.mark == mark } }
  }
}
