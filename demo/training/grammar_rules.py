"""The sentences the demo models know, as two grammars.

`rule: this | that` lists alternatives, and a line that begins with `|` goes on with them. `{x}`
expands rule x, `[...]` is left out half of the time, and a leading `3*` gives an alternative three
times the weight. No rule leads back to itself.
"""

Rules = dict[str, list[str]]

ENGLISH = """
S: 3*{when} | 4*{act} | 3*{who} | {page} | {ask} | 2*{have} | 3*{state} | 2*{about} | 2*{number}
    | 2*{canyou} | {short} | {greet} | {lets}
greet: Good morning everyone. | Good afternoon everyone. | Hello {name}, good morning.
    | Hello everyone, welcome to the {event}. | Welcome to the {order} {event}.
    | Good afternoon {name}. | Thank you {name}. | Thank you very much.
when: The [{order} ]{event} {startend} at {n}[ {day}]. | The {event} is in room {n}[ {day}].
    | The {event} is {day}.
act: {we} {modal} {verb} the [{adj} ]{thing}[ {day}].
    | {we} {modal} {verb} the {thing} and the {thing}.
who: {name} will {give} the [{adj} ]{thing}[ {day}].
    | {name} and {name} will {verb} the {thing}[ {day}].
page: Please {look} page {n}[ {n}]. | Please {verb} the {thing}[ {day}].
ask: Is the [{adj} ]{thing} ready? | Do we have the [{adj} ]{thing}?
    | How many {things} do we {needhave}?
have: We {needhave} {many} {things}[ {day}]. | {name} has {many} {things}.
state: I think the {thing} is {quality}. | [Yes, ]the {thing} is {quality}.
    | The {thing} is not {quality}. | That is a {quality2} {thing}.
about: The {order} {thing} is about the {thing}. | This {event} is about the [{adj} ]{thing}.
number: My number is {n} {n} {n}[ {n}]. | The number is {n} {n} {n} {n}. | Room {n} {n} {n}.
canyou: Can you {verb} the [{adj} ]{thing}[ {day}]? | Can {name} {give} the {thing}[ {day}]?
short: I agree with {name}. | I do not agree. | Yes, I agree. | No, not yet. | That is very good.
    | I have a question. | Thank you everyone.
lets: Let us start with the [{order} ]{thing}. | Let us {verb} the {thing}.
we: 2*We | I | You | They
modal: will | can | should | need to
verb: review | discuss | finish | check | read
give: send | share | show
look: open | read | check
needhave: need | have
startend: starts | ends
event: meeting | lecture | call | class
thing: report | plan | budget | project | data | answer | question | slide | test
things: questions | pages | slides | tests | reports
adj: new | last | first
order: first | second | next | last
quality: ready | good | very good | late | important | short | clear | new
quality2: good | new | clear | short | very good
name: Anna | John | Maria | Peter
day: today | tomorrow | on Monday | on Friday | next week
n: zero | one | two | three | four | five | six | seven | eight | nine
many: two | three | four | five | six | seven | eight | nine | many
"""

PORTUGUESE = """
S: 3*{quando} | 4*{acao} | 3*{quem} | {pagina} | {pergunta} | 2*{ter} | 3*{estado} | 2*{sobre}
    | 2*{numero} | 2*{pode} | {curta} | {saudacao} | {comecar}
saudacao: Bom dia a todos. | Boa tarde a todos. | Olá {nome}, bom dia. | Boa tarde {nome}.
    | Muito obrigado {nome}. | Muito obrigada.
quando: A {evento} {comeca} às {h}[ {dia}]. | A {evento} é na sala {n}[ {dia}].
    | A {evento} é {dia}. | A próxima {evento} {comeca} às {h}.
acao: {nos} {verbo} {coisa}[ {dia}]. | {nos} {verbo} {coisa} e {coisa}.
quem: {nome} vai {verbo} {coisa}[ {dia}]. | {nome} e {nome} vão {verbo} {coisa}[ {dia}].
pagina: Por favor, abra a página {n}[ {n}]. | Por favor, leia {coisa}[ {dia}].
pergunta: {masc} está pronto? | {fem} está pronta? | Quantas {coisas} nós temos?
ter: Nós temos {muitas} {coisas}[ {dia}]. | {nome} tem {muitas} {coisas}.
estado: Eu acho que {coisa} é {qual}. | Sim, {coisa} é {qual}. | {Masc} [não ]está pronto.
    | {Fem} [não ]está pronta. | {Masc} é muito bom. | {Fem} é muito boa.
sobre: A {ordem} {parte} é sobre {coisa}. | A {evento} é sobre {coisa}.
numero: Meu número é {n} {n} {n}[ {n}]. | O número é {n} {n} {n} {n}. | Sala {n} {n} {n}.
pode: Você pode {verbo} {coisa}[ {dia}]?
curta: Eu concordo com {nome}. | Eu não concordo. | Sim, eu concordo. | Ainda não.
    | Eu tenho uma pergunta.
comecar: Vamos começar com {coisa}. | Vamos {verbo} {coisa}[ {dia}].
nos: 2*Nós vamos | Nós precisamos | Eu vou | Vocês podem
verbo: revisar | ler | mostrar | enviar
comeca: começa | termina
evento: reunião | aula | palestra
masc: O relatório | O plano | O projeto | O teste
fem: A resposta | A pergunta | A página
Masc: O relatório | O plano | O projeto | O teste
Fem: A resposta | A pergunta | A página
coisa: o relatório | o plano | o projeto | o teste | a resposta | a pergunta | a página
coisas: perguntas | páginas | respostas
parte: página | pergunta | aula
ordem: primeira | próxima | última
qual: importante | muito importante | simples | muito simples
nome: Ana | João | Maria | Pedro
dia: hoje | amanhã | na sexta | na segunda
h: duas | três | quatro | cinco | seis | sete | oito | nove | dez
n: zero | um | dois | três | quatro | cinco | seis | sete | oito | nove
muitas: duas | três | quatro | cinco | seis | sete | oito | nove | muitas
"""


def _rules(text: str) -> Rules:
    joined = text.strip().replace("\n    |", " |")
    pairs = [line.split(": ", 1) for line in joined.splitlines()]
    return {name: alternatives.split(" | ") for name, alternatives in pairs}


GRAMMARS = {"en": _rules(ENGLISH), "pt": _rules(PORTUGUESE)}
