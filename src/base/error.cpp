#include "moult/error.hpp"

namespace moult {

std::string_view name_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::ambiguous: return "ambiguous";
    case ErrorCode::signature_mismatch: return "signature_mismatch";
    case ErrorCode::inlined: return "inlined";
    case ErrorCode::too_short: return "too_short";
    case ErrorCode::unsupported_code: return "unsupported_code";
    case ErrorCode::no_room: return "no_room";
    case ErrorCode::not_an_update: return "not_an_update";
    case ErrorCode::abi_mismatch: return "abi_mismatch";
    case ErrorCode::build_id_mismatch: return "build_id_mismatch";
    case ErrorCode::unreadable: return "unreadable";
    case ErrorCode::permission_denied: return "permission_denied";
    case ErrorCode::timed_out: return "timed_out";
    case ErrorCode::thread_unstoppable: return "thread_unstoppable";
    case ErrorCode::still_active: return "still_active";
    case ErrorCode::alterability: return "alterability";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::internal: return "internal";
    case ErrorCode::system: return "system";
    case ErrorCode::layout_mismatch: return "layout_mismatch";
    case ErrorCode::superseded: return "superseded";
  }
  return "unknown";
}

}  // namespace moult
