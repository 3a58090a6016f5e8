/// What a request has that somebody types into a browser, and that nothing was asked before: the one by which a site is
/// judged.
enum PlainRequest {
  /// True for a header that it may have, from the browser or from another proxy in front; with which value is not known.
  static func mayHave(header: String) -> Bool {
    let name = header.lowercased()
    return ofBrowsers.contains(name) || beginnings.contains(where: name.hasPrefix)
  }

  private static let ofBrowsers: Set<String> = [
    "host", "user-agent", "cache-control", "pragma", "dnt", "te", "priority", "upgrade-insecure-requests", "connection",
    "keep-alive", "via", "forwarded", "true-client-ip", "client-ip", "front-end-https", "x-request-id", "x-scheme",
    "x-https", "early-data",
  ]
  private static let beginnings = [
    "accept", "sec-ch", "sec-fetch", "sec-gpc", "x-forwarded", "x-real", "x-client", "x-cluster", "x-original", "cf-",
    "cdn-", "fastly-", "x-amz", "x-azure", "x-cloud", "x-ssl", "ssl-", "x-arr", "akamai-", "x-akamai",
  ]
}
