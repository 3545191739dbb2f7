#include "moult/moult.hpp"

void missing();  // in no program

MOULT_UPDATE { missing(); }
