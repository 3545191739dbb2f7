#include "moult/load.hpp"

MOULT_UPDATE {}
