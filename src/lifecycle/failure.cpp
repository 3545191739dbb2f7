#include "lifecycle/failure.hpp"

#include <cxxabi.h>

#include <new>

#include "base/names.hpp"

namespace moult::internal {
namespace {

/// Includes the type's name: many what() texts say little, and some are empty. In a handler of the error, which knows
/// its type also when the update was compiled without RTTI.
std::string told(const std::exception& error, std::string_view where) {
  const std::string what = error.what();
  return std::string(where) + " threw " + name_of_type(*abi::__cxa_current_exception_type()) +
         (what.empty() ? " without a word" : ": " + what);
}

}  // namespace

StepFailure describe(const std::exception_ptr& error, std::string_view where) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    return {known.code(), *known.what() != '\0' ? known.what() : told(known, where)};
  } catch (const std::bad_alloc&) {
    return {ErrorCode::no_room,
            std::string(where) + ": there is no memory for it; try again when the program has some"};
  } catch (const std::exception& other) {
    return {ErrorCode::internal, told(other, where)};
  } catch (...) {
    return {ErrorCode::internal,
            std::string(where) + " threw something that is no std::exception; throw moult::Error, which says why"};
  }
}

StepFailure describe_safely(const std::exception_ptr& error, std::string_view where) noexcept {
  try {
    return describe(error, where);
  } catch (const std::exception&) {
    return {ErrorCode::no_room, "no memory"};  // no allocation: it is short
  }
}

}  // namespace moult::internal
