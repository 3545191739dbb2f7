#include "lifecycle/trouble.hpp"

namespace moult::lifecycle {

Trouble describe(const std::exception_ptr& error, std::string_view where) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    return {known.code(), known.what()};
  } catch (const std::exception& other) {
    return {ErrorCode::internal, other.what()};
  } catch (...) {
    return {ErrorCode::internal,
            std::string(where) + " threw something that is no std::exception; throw moult::Error, which says why"};
  }
}

}  // namespace moult::lifecycle
