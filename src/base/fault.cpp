#include "base/fault.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <span>

#include "moult/error.hpp"

// The linker defines these bounds for a section whose name is an identifier. They are weak, for a program without
// points.
extern "C" {
[[gnu::weak, gnu::visibility("hidden")]] extern moult::internal::FaultPoint __start_moult_faults[];
[[gnu::weak, gnu::visibility("hidden")]] extern moult::internal::FaultPoint __stop_moult_faults[];
}

namespace moult::internal {
struct FaultOrder {
  std::string name;
  std::size_t nth = 1;
  FaultKind kind = FaultKind::error;
  std::atomic<std::size_t> hits = 0;
  bool counts_all = false;  ///< nothing fails: each point counts its hits
};

constinit std::atomic<FaultOrder*> fault_order = nullptr;

namespace {

std::span<FaultPoint> all_points() { return {__start_moult_faults, __stop_moult_faults}; }

}  // namespace

void reach_fault_point(FaultPoint& point) {
  FaultOrder* order = fault_order.load(std::memory_order_acquire);
  if (order == nullptr) return;
  if (order->counts_all) point.hits.fetch_add(1, std::memory_order_relaxed);
  if (order->name != point.name) return;
  if (order->hits.fetch_add(1) + 1 != order->nth) return;
  if (order->kind == FaultKind::out_of_memory) throw std::bad_alloc();
  throw Error(ErrorCode::system, std::string(point.name) + ": failed as ordered (MOULT_FAULT)");
}

namespace {

/// Orders are kept until the process ends: a thread may still be reading one that was just disarmed.
FaultOrder* keep(std::string_view name, std::size_t nth, FaultKind kind) {
  static auto& orders = *new std::vector<std::unique_ptr<FaultOrder>>;
  std::unique_ptr<FaultOrder> order = std::make_unique<FaultOrder>();
  order->name = name;
  order->nth = nth;
  order->kind = kind;
  orders.push_back(std::move(order));
  return orders.back().get();
}

bool is_fault_point(std::string_view name) {
  std::vector<std::string_view> names = fault_points();
  return std::binary_search(names.begin(), names.end(), name);
}

struct FaultRequest {
  std::string_view name;
  std::size_t nth = 1;
};

/// "name" or "name:nth".
std::optional<FaultRequest> parse_request(std::string_view text) {
  FaultRequest request{text};
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return request;
  request.name = text.substr(0, colon);
  const char* end = text.data() + text.size();
  std::from_chars_result parsed = std::from_chars(text.data() + colon + 1, end, request.nth);
  if (parsed.ec != std::errc() || parsed.ptr != end || request.nth == 0) return std::nullopt;
  return request;
}

[[gnu::constructor]] void arm_from_environment() {
  const char* text = std::getenv("MOULT_FAULT");
  if (text == nullptr || *text == '\0') return;
  std::optional<FaultRequest> request = parse_request(text);
  if (request && is_fault_point(request->name)) {
    fault_order.store(keep(request->name, request->nth, FaultKind::error));
    return;
  }
  std::string complaint = std::string("moult: MOULT_FAULT=") + text + ": no such fault point; there are:\n";
  for (std::string_view name : fault_points()) complaint.append("  ").append(name).append("\n");
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, complaint.data(), complaint.size());
}

}  // namespace

std::vector<std::string_view> fault_points() {
  std::vector<std::string_view> names;
  for (const FaultPoint& point : all_points()) names.emplace_back(point.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

ArmedFault::ArmedFault(std::string_view name, std::size_t nth, FaultKind kind) {
  if (!is_fault_point(name)) throw Error(ErrorCode::not_found, std::string(name) + ": no such fault point");
  if (nth == 0) throw Error(ErrorCode::invalid_argument, "a fault point's hits count from 1");
  fault_order.store(keep(name, nth, kind), std::memory_order_release);
}

ArmedFault::~ArmedFault() { fault_order.store(nullptr, std::memory_order_release); }

bool ArmedFault::fired() const noexcept {
  const FaultOrder* order = fault_order.load(std::memory_order_acquire);
  return order != nullptr && order->hits.load() >= order->nth;
}

CountedHits::CountedHits() {
  for (FaultPoint& point : all_points()) point.hits = 0;
  FaultOrder* const order = keep({}, 1, FaultKind::error);
  order->counts_all = true;
  fault_order.store(order, std::memory_order_release);
}

CountedHits::~CountedHits() { fault_order.store(nullptr, std::memory_order_release); }

std::size_t CountedHits::of(std::string_view name) const noexcept {
  std::size_t hits = 0;
  for (const FaultPoint& point : all_points())
    if (point.name == name) hits += point.hits;
  return hits;
}

}  // namespace moult::internal
