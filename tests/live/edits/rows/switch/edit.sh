sed -i 's/"three"/"drei"/; s/"six"/"sechs"/; s/sum += 10;/sum += 20;/' app.cpp
