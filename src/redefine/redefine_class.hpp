// The request for a class change that stands for two classes of the public interface.
#pragma once

#include "moult/data_update.hpp"
#include "redefine/class_change.hpp"

namespace moult::redefine {

ClassRequest request_for(const detail::ClassPairing& pairing, const ClassRedefinition& options);

}  // namespace moult::redefine
