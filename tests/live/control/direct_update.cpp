#include "moult/moult.hpp"
#include "target.hpp"

int answer_v3() { return 3; }

// Changes the program by itself, with no update that a manager would carry out.
MOULT_UPDATE { moult::redefine_function(&answer, &answer_v3); }
