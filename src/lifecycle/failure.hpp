// What went wrong, as a value: a caught exception told to reports and events.
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

/// Of anything that may be thrown. `where` names the step, for exceptions that say nothing themselves.
StepFailure describe(const std::exception_ptr& error, std::string_view where);

}  // namespace moult::internal
