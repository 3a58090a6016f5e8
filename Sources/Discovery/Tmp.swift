import Model
enum NginxProxyManagerReading {
  static let read: RouteReading.Reading = { _, _, _ throws(Unseen) in (.unknown, [:]) }
  static let list: RouteReading.Listing = { _, _ throws(Unseen) in [] }
}
