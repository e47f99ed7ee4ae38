/**
 * Everything that is typed or chosen, plain, wrong and disabled.
 */
import {
  Advanced,
  ChoiceField,
  FileDrop,
  NumberInput,
  OrderedList,
  PasswordInput,
  RadioField,
  SearchBox,
  SearchChoice,
  SwitchField,
  TextInput,
  Tick,
  type Choice,
} from '@tandem/ui';
import { useState } from 'react';

import { peopleOf } from './people';
import { useWords } from './words';

const PROTOCOLS = ['udp', 'tcp', 'tls'].map((id) => ({ id, label: id.toUpperCase() }));
const MEGABYTE = 1_000_000;
const MOST = 8;

async function searchPeople(search: string): Promise<Choice[]> {
  return peopleOf({ search, sort: '', filters: {} })
    .slice(0, MOST)
    .map(({ id, name, city }) => ({ id, label: name, detail: city }));
}

export function FieldGallery() {
  const words = useWords();
  const [text, setText] = useState('Reception');
  const [protocol, setProtocol] = useState('tls');
  const [on, setOn] = useState(true);
  const [side, setSide] = useState('one');
  const [seconds, setSeconds] = useState(30);
  const [person, setPerson] = useState<Choice>();
  const [made, setMade] = useState('');
  const [file, setFile] = useState('');
  const [order, setOrder] = useState(['Opus', 'G.722', 'G.711']);
  const [search, setSearch] = useState('');
  return (
    <div className="flex flex-col gap-6">
      <div className="grid items-start gap-5 sm:grid-cols-2">
        <TextInput label={words.name} description={words.name_help} value={text} onChange={setText} />
        <TextInput label={words.name} error={words.wrong} value="" onChange={setText} />
        <TextInput label={words.name} optional disabled value={text} onChange={setText} />
        <PasswordInput label={words.password} value={text} onChange={setText} />
        <ChoiceField label={words.protocol} value={protocol} onChange={setProtocol} choices={PROTOCOLS} />
        <ChoiceField
          label={words.protocol}
          value=""
          onChange={setProtocol}
          choices={PROTOCOLS}
          error={words.wrong}
        />
        <NumberInput
          label={words.timeout}
          description={words.timeout_help}
          value={seconds}
          onChange={setSeconds}
          least={5}
          most={120}
          step={5}
          unit="second"
        />
        <div>
          <SearchChoice
            label={words.person}
            description={words.person_help}
            value={person}
            onChange={setPerson}
            search={searchPeople}
            onCreate={setMade}
          />
          {made && (
            <p className="mt-1 text-xs text-muted">
              {words.made}: {made}
            </p>
          )}
        </div>
      </div>
      <RadioField
        label={words.choice}
        value={side}
        onChange={setSide}
        choices={[
          { id: 'one', label: words.choice_one, detail: text },
          { id: 'other', label: words.choice_other },
        ]}
      />
      <SwitchField label={words.switch} description={words.switch_help} value={on} onChange={setOn} />
      <Tick value={on} onChange={setOn}>
        {words.tick}
      </Tick>
      <SearchBox label={words.search} value={search} onChange={setSearch} />
      <div className="max-w-md">
        <OrderedList label={words.order} items={order.map((id) => ({ id, name: id }))} onChange={setOrder} />
      </div>
      <div>
        <FileDrop
          label={words.upload}
          description={words.upload_help}
          accept={['.csv', 'text/csv']}
          most={MEGABYTE}
          onFile={({ name }) => setFile(name)}
        />
        {file && (
          <p role="status" className="mt-1 text-xs text-muted">
            {words.taken}: {file}
          </p>
        )}
      </div>
      <Advanced title={words.advanced} wrong={false}>
        <p>{words.advanced_text}</p>
      </Advanced>
    </div>
  );
}
