// The request for a class change that stands for two classes of the public interface.
#pragma once

#include "classes/class_change.hpp"
#include "moult/data_update.hpp"

namespace moult::internal {

ClassRequest request_for(const detail::ClassPairing& pairing, const ClassRedefinition& options);

}  // namespace moult::internal
