// A line that a client sends to a program. A request that is understood means the same after it was written again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "protocol/request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moult::internal;
  const Request request = parse_request({reinterpret_cast<const char*>(data), size});
  if (std::holds_alternative<MalformedRequest>(request.command)) return 0;
  const std::string line = format_request(request);
  const Request again = parse_request(line);
  if (again.command.index() != request.command.index() || format_request(again) != line) std::abort();
  return 0;
}
