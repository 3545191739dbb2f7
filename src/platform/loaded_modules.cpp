#include "platform/loaded_modules.hpp"

#include <exception>

namespace moult::internal {
namespace {

struct Visit {
  const std::function<bool(const dl_phdr_info&)>& function;
  std::exception_ptr thrown;
};

int call(dl_phdr_info* info, std::size_t, void* data) noexcept {
  Visit& visit = *static_cast<Visit*>(data);
  try {
    return visit.function(*info) ? 0 : 1;
  } catch (...) {
    visit.thrown = std::current_exception();
    return 1;
  }
}

}  // namespace

void visit_loaded_modules(const std::function<bool(const dl_phdr_info&)>& visit) {
  Visit state{visit, nullptr};
  ::dl_iterate_phdr(call, &state);
  if (state.thrown) std::rethrow_exception(state.thrown);
}

std::uintptr_t bias_of_program() {
  std::uintptr_t bias = 0;
  visit_loaded_modules([&](const dl_phdr_info& info) {
    bias = info.dlpi_addr;
    return false;
  });
  return bias;
}

}  // namespace moult::internal
