// A line that a program sends to a client: each parser gives a value or an Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/line_splitter.hpp"
#include "protocol/reply.hpp"

namespace {

template <class Parse>
void attempt(Parse parse, std::string_view line) {
  try {
    parse(line);
  } catch (const moult::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moult::internal;
  LineSplitter splitter(1024);
  splitter.feed({reinterpret_cast<const char*>(data), size});
  while (const std::optional<Line> line = splitter.next()) {
    attempt(parse_failure, line->text);
    attempt(parse_status, line->text);
    attempt(parse_updates, line->text);
    attempt(parse_threads, line->text);
    attempt(parse_functions, line->text);
    attempt(parse_objects, line->text);
    attempt(parse_events, line->text);
    attempt(parse_event, line->text);
  }
  return 0;
}
