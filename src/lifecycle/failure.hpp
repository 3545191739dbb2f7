// A failure as a value: a caught exception, as reports and events show it.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "moult/error.hpp"

namespace moult::internal {

struct StepFailure {
  ErrorCode code = ErrorCode::internal;
  std::string reason;
};

/// Describes any exception; std::bad_alloc as no_room. `where` names the step, for exceptions that say nothing
/// themselves.
StepFailure describe(const std::exception_ptr& error, std::string_view where);
/// The same. Where there is no memory for the words, they are "no memory".
StepFailure describe_safely(const std::exception_ptr& error, std::string_view where) noexcept;

}  // namespace moult::internal
